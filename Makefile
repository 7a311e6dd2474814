.DEFAULT_GOAL := help
export DEMO_STARTED_AT := $(shell date +%s)
export TRAINER_ENGINE_PYTHON ?= $(shell scripts/environment.sh path trainer)
export SERVING_ENGINE_PYTHON ?= $(shell scripts/environment.sh path serving)

.PHONY: help demo test setup engines up lint fmt e2e monitoring browser journey containers starter lock schemas dashboards bench-exporter bench-gates bench-overhead bench-packing bench-page bench-plateau bench-teacher bench-ui bench-faults ci

help:  ## Show this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

demo: setup engines  ## The whole journey on this machine: no GPU, no Docker, no API key
	.venv/bin/tonesmith demo

test: setup  ## The default tests (five minutes), linters and types
	scripts/test.sh

setup:  ## Make .venv with the command `tonesmith`
	@scripts/environment.sh light

engines:  ## Install LLaMA-Factory and vLLM, each in an environment of its own (once)
	@scripts/environment.sh engines

up: setup engines  ## Start the embedded stack and keep it up
	.venv/bin/tonesmith up

lint: setup  ## Look, change nothing
	scripts/lint.sh

fmt: setup  ## Format and mend what can be mended
	.venv/bin/ruff check --fix --quiet . ; .venv/bin/ruff format .

e2e: setup engines  ## The journey on the real LLaMA-Factory and the real vLLM, watched by the real Prometheus
	scripts/prometheus.sh
	.venv/bin/python -m pytest tests -m "engines and not browser"

monitoring: setup  ## Rules, dashboards and alerts on a real Prometheus and Alertmanager
	scripts/prometheus.sh
	.venv/bin/python -m pytest tests -m "monitoring and not engines" -n 3 --dist loadfile

browser: setup  ## The page in a real Chromium
	.venv/bin/python -m pytest tests -m "browser and not engines" -n 2 --dist loadfile

journey: setup engines  ## The whole journey by hand in a real Chromium, on the real engines
	.venv/bin/python -m pytest tests -m "browser and engines"

containers: setup  ## The four images and the compose stack, on a Docker Engine (installed if none answers)
	scripts/test-containers.sh

starter: setup engines  ## Build the starter base model again, from its seed (about an hour)
	scripts/starter.sh

lock: setup  ## Resolve every dependency again and write the locks
	.venv/bin/python scripts/lock.py "$$(scripts/environment.sh installer)"

schemas: setup  ## Write the JSON Schemas of the contracts again
	.venv/bin/python -m contracts.schemas

dashboards: setup  ## Write Grafana's dashboards again
	.venv/bin/python monitoring/grafana/generate.py

bench-exporter: setup  ## CPU and latency of our GPU exporter beside nvitop-exporter's
	.venv/bin/python benchmarks/exporter.py

bench-gates: setup  ## Recall and false refusals of every gate on planted defects, a slider at 50,000 rows
	.venv/bin/python benchmarks/gates.py

bench-overhead: setup engines  ## Steps/s of our trainer against plain LLaMA-Factory
	.venv/bin/python benchmarks/trainer_overhead.py

bench-packing: setup engines  ## Useful tokens/s of our batches against the guide's
	.venv/bin/python benchmarks/packing.py

bench-plateau: setup engines  ## Steps that the plateau stop saves on the demo's data (minutes)
	.venv/bin/python benchmarks/plateau.py

bench-teacher: setup  ## Requests/s of a generation beside the bare SDK, curator, data-designer, distilabel
	.venv/bin/python benchmarks/teacher.py

bench-page: setup  ## How long a browser works to open the page and each tab, with Gradio's own walk and ours
	.venv/bin/python benchmarks/page_open.py

bench-ui: setup  ## What the page adds to the first token, and fifty people who chat (minutes)
	.venv/bin/python benchmarks/ui_latency.py

bench-faults: setup  ## 2,000 rows from a teacher that fails in every way, 20 kills, 3 black-outs
	.venv/bin/python -m pytest -m engines --log-cli-level=INFO tests/e2e/test_teacher_faults.py

ci:  ## What CI runs
	.ci/run
