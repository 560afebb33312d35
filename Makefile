# make          shows what there is
# make run      is all that is needed to try it; make test, to trust it

.DEFAULT_GOAL := help
.PHONY: help run test test-clients test-contract prove prove-long fuzz generate generate-clients release-spec check seed

BINARY  := bin/eventbooking
TOOLS   := internal/tools
SQLC    := CGO_ENABLED=0 go tool -modfile=$(TOOLS)/sqlc/go.mod sqlc
OAPI    := go tool -modfile=$(TOOLS)/oapi-codegen/go.mod oapi-codegen
OASDIFF := go tool -modfile=$(TOOLS)/oasdiff/go.mod oasdiff
REDOCLY := REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true npx --yes @redocly/cli@2.77.0
LINT    := go tool -modfile=$(TOOLS)/golangci-lint/go.mod golangci-lint
TYPESCRIPT := internal/clients/typescript
KOTLIN  := mvn -B -ntp -q -f internal/clients/kotlin/pom.xml
RELEASED := $(TOOLS)/oasdiff/released.yaml
ACCEPTED := $(TOOLS)/oasdiff/accepted.txt
COVERED := 80
FUZZTIME := 30s
# One line per file in gen/.
GENERATED := find gen -type f -exec cksum {} + | sort

NEED_MAVEN := command -v mvn >/dev/null && command -v javac >/dev/null || \
	{ echo 'the Kotlin client needs Maven and a JDK, 17 or newer: apt-get install maven openjdk-17-jdk-headless'; exit 1; }

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(BINARY) ## Build and serve on 127.0.0.1:8000, with data to try; bin/eventbooking --help tells its settings
	@$(BINARY) serve --seed-if-empty

seed: $(BINARY) ## Throw the data away and seed again
	$(BINARY) seed --fresh

test: ## Run all tests with the race detector; fails below 80 % coverage of internal/
	go test -race -timeout 14m -coverpkg=./internal/... -coverprofile=coverage.out ./...
	@go tool cover -func=coverage.out | awk '$$1 == "total:" { covered = $$3 + 0; \
		printf "coverage of internal/: %s %% of statements (at least $(COVERED) %%)\n", covered; exit (covered < $(COVERED)) }'

test-clients: $(TYPESCRIPT)/node_modules/.package-lock.json ## Test the TypeScript and the Kotlin client against the real service
	cd $(TYPESCRIPT) && npm test
	@$(NEED_MAVEN)
	$(KOTLIN) verify

test-contract: ## Ask the service all that its contract allows, and more (schemathesis)
	.ci/contract

prove: ## Show that the promises hold, under races, crashes and bad networks: minutes (docs/promises.md)
	go run ./cmd/prove

prove-long: ## The same in full: 75 to 95 minutes
	go run ./cmd/prove --long

fuzz: ## Fuzz everything that reads what strangers send, FUZZTIME=30s each
	@for package in $$(grep -rl --include='*_test.go' '^func Fuzz' internal | xargs -n1 dirname | sort -u); do \
		for target in $$(grep -ho '^func Fuzz[A-Za-z]*' $$package/*_test.go | cut -d' ' -f2); do \
			go test ./$$package -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x || exit 1; \
		done; done

generate: generate-clients ## Generate gen/ from openapi.yaml, db/migrations and db/queries
	$(OAPI) -config $(TOOLS)/oapi-codegen.yaml openapi.yaml
	$(SQLC) generate

generate-clients: $(TYPESCRIPT)/node_modules/.package-lock.json
	cd $(TYPESCRIPT) && npm run --silent generate
	@$(NEED_MAVEN)
	@$(KOTLIN) -P generate process-sources >/dev/null

# Installed as the lock file says, when that has changed.
$(TYPESCRIPT)/node_modules/.package-lock.json: $(TYPESCRIPT)/package-lock.json
	@command -v npm >/dev/null || { echo 'the TypeScript client needs Node 20 or newer with npm: apt-get install npm'; exit 1; }
	cd $(TYPESCRIPT) && npm ci --no-audit --no-fund

release-spec: ## Take openapi.yaml for the released one, which further changes must not break
	cp openapi.yaml $(RELEASED)
	@echo 'now empty the list in $(ACCEPTED)'

check: ## Check format, vet, lint, the spec and that it breaks nobody, and that gen/ is what its sources give
	@test -z "$$(gofmt -l cmd db gen internal *.go)" || { gofmt -l cmd db gen internal *.go; echo 'run gofmt -w on these'; exit 1; }
	go vet ./...
	$(LINT) run ./...
	@command -v npx >/dev/null || { echo 'make check wants Node 20 or newer with npx, to lint openapi.yaml: apt-get install npm'; exit 1; }
	$(REDOCLY) lint
	@$(OASDIFF) breaking --fail-on WARN --err-ignore $(ACCEPTED) --warn-ignore $(ACCEPTED) $(RELEASED) openapi.yaml || \
		{ echo 'openapi.yaml breaks what was released: take it back, or say why in $(ACCEPTED)'; exit 1; }
	@before=$$($(GENERATED)) && $(MAKE) --no-print-directory generate && test "$$before" = "$$($(GENERATED))" || \
		{ echo 'gen/ was not what its sources give; now it is: look at git diff gen'; exit 1; }

.PHONY: $(BINARY)
$(BINARY):
	@go build -o $@ ./cmd/eventbooking
