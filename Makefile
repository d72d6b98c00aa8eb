# The commands of this project. CMakeLists.txt does the building; this file only saves typing.
# `make help` prints what follows each target's ##.

BUILD ?= build
SANITIZE_BUILD ?= build-sanitize
THREAD_BUILD ?= build-thread
FUZZ_BUILD ?= build-fuzz
FUZZ_SECONDS ?= 60
# Where the packages do not come from apt-get and are there all the same: make demo SETUP=true
SETUP ?= sh tools/setup.sh
CMAKE_FLAGS ?=
PREFIX ?= /usr/local
# Saved sessions of GradBench: CASE.requests.jsonl.gz and CASE.expected.json.gz
GRADBENCH_DATA ?= ../shared/bench

jobs := $(shell nproc 2>/dev/null || echo 2)

# $(call build,FOLDER,FLAGS). A build folder keeps the generator it began with; CMAKE_GENERATOR
# speaks only for a new one. Our MAKEFLAGS would only confuse a make below.
define build
@command -v cmake >/dev/null || { echo "cmake is missing: run make setup" >&2; exit 1; }
@ninja=$$(command -v ninja) || true; \
export CMAKE_GENERATOR="$${CMAKE_GENERATOR:-$${ninja:+Ninja}}"; \
[ -n "$$CMAKE_GENERATOR" ] || unset CMAKE_GENERATOR; \
cmake --log-level=NOTICE -S . -B $(1) $(2) $(CMAKE_FLAGS)
@env -u MAKEFLAGS -u MAKELEVEL cmake --build $(1) --parallel $(jobs)
endef

# $(call test,FOLDER)
test = @ctest --test-dir $(1) --output-on-failure --no-tests=error -j $(jobs)

.NOTPARALLEL:
.DEFAULT_GOAL := build
.PHONY: build setup setup-check demo check check-sanitize check-thread fuzz \
    bench setup-bench gradbench bench-mnist bench-scale bench-hvp bench-eager bench-kernels \
    bench-csource bench-loops bench-threads bench-solvers report-ops report-math install clean help

build: ## configure and build into build/ (the default)
	$(call build,$(BUILD))

setup: ## install the missing Debian packages of tools/packages.txt
	@$(SETUP)

setup-check: ## the same, and the solvers whose examples the tests run
	@$(SETUP) packages.txt packages-solvers.txt

demo: setup build ## trace and differentiate a formula, then learn handwritten digits
	@sh tools/demo.sh $(BUILD)

check: setup-check ## build with warnings as errors and run all tests
	$(call build,$(BUILD),-DWG_WERROR=ON)
	$(call test,$(BUILD))

check-sanitize: setup-check ## the same under the address and undefined-behaviour sanitizers
	$(call build,$(SANITIZE_BUILD),-DWG_WERROR=ON -DWG_SANITIZE=ON)
	$(call test,$(SANITIZE_BUILD))

check-thread: setup ## threads and properties under the thread sanitizer, without OpenBLAS
	$(call build,$(THREAD_BUILD),-DWG_WERROR=ON -DWG_SANITIZE_THREAD=ON -DWG_BLAS=OFF -DWG_CLI=OFF)
	$(call test,$(THREAD_BUILD))

fuzz: setup ## every fuzzer for FUZZ_SECONDS (60), by clang's libFuzzer
	$(call build,$(FUZZ_BUILD),-DCMAKE_C_COMPILER=clang -DWG_WERROR=ON -DWG_SANITIZE=ON -DWG_FUZZ=ON)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) sh tools/fuzz.sh $(FUZZ_BUILD)

bench: build ## one table of times beside hand-written C, ADOL-C and PyTorch; quick: BENCH_QUICK=1
	@sh bench/compare.sh $(BUILD) $(if $(BENCH_QUICK),--quick)
	@$(BUILD)/bench/csource $(if $(BENCH_QUICK),--quick)

setup-bench: setup ## install the peers that make bench compares with, as far as Debian has them
	@$(SETUP) packages-bench.txt

gradbench: build ## replay sessions of GradBench: answers checked, times beside the best of other tools
	@python3 bench/gradbench/replay.py $(BUILD)/bench/gradbench $(GRADBENCH_DATA)

bench-mnist: build ## seconds an epoch on MNIST, beside PyTorch's where that is installed
	@sh tools/fetch_mnist.sh
	@sh bench/mnist.sh $(BUILD)

bench-scale: build ## microseconds an instruction for traces of 10^3 to 10^6 instructions
	@$(BUILD)/bench/scale

bench-hvp: build ## a Hessian-vector product's time against the gradient's at n = 10^6
	@$(BUILD)/bench/hvp

bench-csource: build ## gradients of C functions beside the functions themselves
	@$(BUILD)/bench/csource $(if $(BENCH_QUICK),--quick)

bench-loops: build ## nanoseconds a step of a loop of 10^6 steps, and of its gradient
	@$(BUILD)/bench/loops

bench-threads: build ## what several threads gain in native code
	@$(BUILD)/bench/threads

bench-eager: build ## nanoseconds a scalar instruction of an eager graph, gradient included
	@$(BUILD)/bench/eager

bench-kernels: build ## kernels beside memory bandwidth, OpenBLAS's products, PyTorch's convolution
	@OPENBLAS_NUM_THREADS=1 $(BUILD)/bench/kernels; kernels=$$?; \
	sh bench/conv.sh $(BUILD) && exit $$kernels

bench-solvers: build ## solvers with exact derivatives and with their own differences
	@sh bench/solvers.sh $(BUILD)

report-ops: build ## each operation's worst error against long double and against differences
	@$(BUILD)/report_ops 2>/dev/null

report-math: build ## nanoseconds an element of vector functions, beside libm's and libmvec's
	@$(BUILD)/report_math

install: build ## install the library, its headers and the command under PREFIX (/usr/local)
	@cmake --install $(BUILD) --prefix $(PREFIX)

clean: ## remove what was built; data and packages stay
	rm -rf $(BUILD) $(SANITIZE_BUILD) $(THREAD_BUILD) $(FUZZ_BUILD)

help: ## print this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 16
