# What a developer runs here, and .ci/run too. Needs Go; .ci/install brings the rest.

GO ?= go
FUZZTIME ?= 10s

.DEFAULT_GOAL := help
.PHONY: help build demo test unit integration soak bench fuzz lint schema

help: ## list what can be made
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 14

build: ## make ./bustia, one program without dependencies
	CGO_ENABLED=0 $(GO) build -trimpath -o bustia ./cmd/bustia

demo: ## play a few days of a small administration, with mail servers of its own
	$(GO) run ./cmd/bustia demo

test: ## unit and integration, on private servers that it starts and stops
	@.ci/install
	.ci/with-postgres $(MAKE) --no-print-directory unit integration

unit: ## tests of every package; on PostgreSQL too when BUSTIA_TEST_POSTGRES names a server
	$(GO) test -race -shuffle=on ./...

integration: ## the whole daemon against a private Dovecot, Postfix and PostgreSQL (Linux, root)
	$(GO) test -tags integration -count=1 -v ./cmd/bustia

soak: ## kill the daemon a hundred times while two thousand mails flow, on either database
	@.ci/install
	BUSTIA_SOAK=1 $(GO) test -tags integration -count=1 -v -timeout 90m -run 'TestCrash|TestFaults' ./cmd/bustia

bench: ## how fast it is, beside mbsync; half an hour, BENCH_PARTS and more in docs/performance.md
	@.ci/install-bench
	$(GO) test -tags 'integration bench' -count=1 -v -timeout 60m -run '^TestBench' ./cmd/bustia

fuzz: ## feed each fuzz target for FUZZTIME (10s)
	@.ci/fuzz $(FUZZTIME)

lint: ## gofmt, vet, staticcheck, and no module too many or missing
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt these: $$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags integration ./cmd/bustia
	$(GO) vet -tags 'integration bench' ./cmd/bustia
	$(GO) tool staticcheck ./...
	$(GO) tool staticcheck -tags integration ./cmd/bustia
	$(GO) mod tidy -diff

schema: ## write docs/bustia.schema.json anew, after a change of what an admin may say
	$(GO) test ./config -run TestSchemaFile -update
