# make          shows what there is
# make run      is all that is needed to try it; make test, to trust it

.DEFAULT_GOAL := help
.PHONY: help run test generate check seed

BINARY  := bin/eventbooking
TOOLS   := internal/tools
SQLC    := CGO_ENABLED=0 go tool -modfile=$(TOOLS)/sqlc/go.mod sqlc
OAPI    := go tool -modfile=$(TOOLS)/oapi-codegen/go.mod oapi-codegen
LINT    := go tool -modfile=$(TOOLS)/golangci-lint/go.mod golangci-lint
COVERED := 80
# What gen/ holds, in one line a file.
GENERATED := find gen -type f -exec cksum {} + | sort

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(BINARY) ## Build and serve on 127.0.0.1:8000, with data to try; bin/eventbooking --help tells its settings
	@$(BINARY) serve --seed-if-empty

seed: $(BINARY) ## Throw the data away and seed again
	$(BINARY) seed --fresh

test: ## Run all tests with the race detector; fails below 80 % coverage of internal/
	go test -race -timeout 14m -coverpkg=./internal/... -coverprofile=coverage.out ./...
	@go tool cover -func=coverage.out | awk '$$1 == "total:" { covered = $$3 + 0; \
		printf "coverage of internal/: %s %% of statements (at least $(COVERED) %%)\n", covered; exit (covered < $(COVERED)) }'

generate: ## Generate gen/ from openapi.yaml, db/migrations and db/queries
	$(OAPI) -config $(TOOLS)/oapi-codegen.yaml openapi.yaml
	$(SQLC) generate

check: ## Check format, vet, lint, and that gen/ is what its sources give
	@test -z "$$(gofmt -l cmd db gen internal *.go)" || { gofmt -l cmd db gen internal *.go; echo 'run gofmt -w on these'; exit 1; }
	go vet ./...
	$(LINT) run ./...
	@before=$$($(GENERATED)) && $(MAKE) --no-print-directory generate && test "$$before" = "$$($(GENERATED))" || \
		{ echo 'gen/ was not what its sources give; now it is: look at git diff gen'; exit 1; }

.PHONY: $(BINARY)
$(BINARY):
	@go build -o $@ ./cmd/eventbooking
