# `make` lists the targets.

.DEFAULT_GOAL := help
.PHONY: help run seed test test-short test-random test-pooler test-clients test-contract prove prove-long bench bench-long bench-short fuzz generate generate-clients release-spec check vulncheck sbom

BINARY     := bin/eventbooking
TOOLS      := internal/tools
SQLC       := CGO_ENABLED=0 go tool -modfile=$(TOOLS)/sqlc/go.mod sqlc
OAPI       := go tool -modfile=$(TOOLS)/oapi-codegen/go.mod oapi-codegen
OASDIFF    := go tool -modfile=$(TOOLS)/oasdiff/go.mod oasdiff
REDOCLY    := $(TOOLS)/redocly/node_modules/.bin/redocly
LINT       := go tool -modfile=$(TOOLS)/golangci-lint/go.mod golangci-lint
VULNCHECK  := go tool -modfile=$(TOOLS)/govulncheck/go.mod govulncheck
CYCLONEDX  := go tool -modfile=$(TOOLS)/cyclonedx-gomod/go.mod cyclonedx-gomod
TYPESCRIPT := internal/clients/typescript
KOTLIN     := mvn -B -ntp -q -C -f internal/clients/kotlin/pom.xml
RELEASED   := $(TOOLS)/oasdiff/released.yaml
ACCEPTED   := $(TOOLS)/oasdiff/accepted.txt
SEVERITY   := $(TOOLS)/oasdiff/severity.txt
COVERED    := 80
FUZZTIME   := 30s
# One line per file in gen/.
GENERATED  := find gen -type f -exec cksum {} + | sort

NEED_MAVEN := command -v mvn >/dev/null && command -v javac >/dev/null || \
	{ echo 'the Kotlin client needs Maven and JDK 17 or newer: apt-get install maven openjdk-17-jdk-headless'; exit 1; }

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(BINARY) ## Build and serve on 127.0.0.1:8000 with sample data (settings: bin/eventbooking --help)
	@$(BINARY) serve --seed-if-empty

seed: $(BINARY) ## Delete all data and seed again
	$(BINARY) seed --fresh

# The race detector needs cgo, and so a C compiler.
RACE := $(shell [ "$$(go env CGO_ENABLED)" = 1 ] && command -v $$(go env CC) >/dev/null 2>&1 && echo -race)

# Debian has PgBouncer in a directory that is not in everybody's PATH.
export PATH := $(PATH):/usr/sbin

# It begins first, or it would end long after all others.
LONGEST := ./internal/server

test: ## Run all Go tests, with the race detector if there is a C compiler; fails if they cover less than 80 % of internal/
	@test -n '$(RACE)' || echo 'without a C compiler the tests run without the race detector: apt-get install gcc libc6-dev'
	go test $(RACE) -timeout 14m -coverpkg=./internal/... -coverprofile=coverage.out $(LONGEST) ./...
	@go tool cover -func=coverage.out | awk '$$1 == "total:" { covered = $$3 + 0; \
		printf "coverage of internal/: %s %% of statements (at least $(COVERED) %%)\n", covered; exit (covered < $(COVERED)) }'

test-short: ## Run the Go tests without the slow ones (go test -short)
	go test -short ./...

RANDOM_ROUNDS := 50
test-random: ## Play the random histories and the races RANDOM_ROUNDS=50 times, each with a fresh seed; a failure prints it
	go test -timeout 0 -count $(RANDOM_ROUNDS) -run 'KeepThePromises|Random|Concurrent' ./internal/seating ./internal/proof/sequence ./internal/desk

# All packages with a database from testkit. The others have none, start servers to stop
# and kill them (postgres/embedded, and the experiments of make prove), or fill databases past
# the service (bench).
POOLED = $(LONGEST) $(shell go list -f '{{.ImportPath}} {{.TestImports}} {{.XTestImports}}' ./... | \
	awk '/internal\/testkit[] ]/ && $$1 !~ /embedded$$|internal\/bench/ { print $$1 }')
test-pooler: ## Run all Go tests that use a database through a PgBouncer in transaction mode; needs pgbouncer
	@command -v pgbouncer >/dev/null || { echo 'make test-pooler needs PgBouncer: apt-get install pgbouncer'; exit 1; }
	TEST_POOLER=1 go test -timeout 14m $(POOLED)

test-clients: $(TYPESCRIPT)/node_modules/.package-lock.json ## Test the TypeScript and Kotlin clients against the real service
	cd $(TYPESCRIPT) && npm test
	@$(NEED_MAVEN)
	$(KOTLIN) verify

test-contract: ## Test the service against openapi.yaml with generated requests (schemathesis)
	.ci/contract

prove: ## Test the promises under races, crashes and network failures; takes minutes (docs/promises.md)
	go run ./cmd/prove

prove-long: ## Run prove in full; takes 75 to 95 minutes
	go run ./cmd/prove --long

bench: ## Measure how fast the service is, in ratios; takes some minutes (docs/performance.md)
	go run ./cmd/bench

bench-short: ## Run each part of the benchmark once, for a second each, count the allocations of requests, and run bench-long on little
	go run ./cmd/bench --rounds=1 --window=1s
	go test -count 1 -run Allocations ./internal/server
	go run ./cmd/bench size --events=200 --rounds=1

EVENTS := 1000000
bench-long: ## Compare what reads, bookings and the doctor cost with 100 and with EVENTS=1000000 events; takes up to an hour and 10 GB
	go run ./cmd/bench size --events $(EVENTS)

fuzz: ## Fuzz everything that parses untrusted input, FUZZTIME=30s each
	@for package in $$(grep -rl --include='*_test.go' '^func Fuzz' internal | xargs -n1 dirname | sort -u); do \
		for target in $$(grep -ho '^func Fuzz[A-Za-z]*' $$package/*_test.go | cut -d' ' -f2); do \
			go test ./$$package -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x || exit 1; \
		done; done

generate: ## Generate the Go code in gen/ from openapi.yaml, db/migrations and db/queries; needs Go only
	$(OAPI) -config $(TOOLS)/oapi-codegen.yaml openapi.yaml
	$(SQLC) generate

generate-clients: $(TYPESCRIPT)/node_modules/.package-lock.json ## Generate the clients' code in gen/clients from openapi.yaml; needs Node and a JDK with Maven
	cd $(TYPESCRIPT) && npm run --silent generate
	@$(NEED_MAVEN)
	@$(KOTLIN) -P generate process-sources >/dev/null

# npm ci writes this file, so it runs again only when package-lock.json has changed. It
# installs nothing whose hash is not in there, and runs no scripts of packages.
%/node_modules/.package-lock.json: %/package-lock.json
	@command -v npm >/dev/null || { echo '$* needs Node 20 or newer with npm: apt-get install nodejs npm'; exit 1; }
	cd $* && npm ci --ignore-scripts --no-audit --no-fund

release-spec: ## Record openapi.yaml as released: make check then reports changes that break it
	cp openapi.yaml $(RELEASED)
	@echo 'now empty the list in $(ACCEPTED)'

vulncheck: ## Look up what the service uses in Go's database of vulnerabilities; needs the network
	@found=$$($(VULNCHECK) ./... 2>&1); status=$$?; case $$status,$$found in \
		1,*'fetching vulnerabilities'*) echo 'the database of vulnerabilities cannot be reached: nothing was looked up (https://vuln.go.dev, or GOVULNDB)' ;; \
		*) printf '%s\n' "$$found" ;; \
	esac; exit $$status

sbom: $(BINARY) ## List all that is in the binary, with checksums, as CycloneDX in bin/sbom.json
	$(CYCLONEDX) bin -json -output bin/sbom.json $(BINARY)

check: $(TOOLS)/redocly/node_modules/.package-lock.json ## Check format, vet, go.mod, lint, openapi.yaml, its compatibility with the last release, and that gen/ is up to date
	@test -z "$$(gofmt -l cmd db gen internal *.go)" || { gofmt -l cmd db gen internal *.go; echo 'run gofmt -w on these files'; exit 1; }
	go mod tidy -diff
	go vet ./...
	$(LINT) run ./...
	REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true $(REDOCLY) lint
	@$(OASDIFF) breaking --fail-on WARN --severity-levels $(SEVERITY) --err-ignore $(ACCEPTED) --warn-ignore $(ACCEPTED) $(RELEASED) openapi.yaml || \
		{ echo 'openapi.yaml has a breaking change: undo it, or give the reason in $(ACCEPTED)'; exit 1; }
	@before=$$($(GENERATED)) && $(MAKE) --no-print-directory generate generate-clients && test "$$before" = "$$($(GENERATED))" || \
		{ echo 'gen/ was out of date and has been generated again: see git diff gen'; exit 1; }

.PHONY: $(BINARY)
$(BINARY):
	@go build -o $@ ./cmd/eventbooking
