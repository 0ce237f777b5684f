#!/usr/bin/env bash
# Everything that must hold before a change is merged, from a clean checkout, in one command.
#
#   scripts/test.sh              all steps, in order, stopping at the first that fails
#   scripts/test.sh clippy test  these steps only
#   scripts/test.sh --list       the steps
#
# What takes long (races, fuzzing, soaks) has commands of its own: see CONTRIBUTING.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null
[[ -d "${CARGO_HOME:-${HOME:-/root}/.cargo}/bin" ]] && PATH="${CARGO_HOME:-${HOME:-/root}/.cargo}/bin:$PATH"

package=grantor
most_crates=44 # of the default features, this one included
denied_crates='tokio|async-std|smol|async-executor|openssl|native-tls|cc|cmake|bindgen|[a-z0-9_-]+-sys'

steps=(fmt clippy features docs test browser postgres redis databases outside guard tree deny)
declare -A about=(
  [fmt]="the code is formatted"
  [clippy]="no warning with all features, tests and examples included"
  [features]="the library compiles without warning with no feature, with each alone, and with all"
  [docs]="the documentation builds without warning"
  [test]="unit, integration and documentation tests pass; examples build"
  [browser]="the console's pages work in Chromium, and axe-core finds nothing against them"
  [postgres]="the store in PostgreSQL holds on servers of its own"
  [redis]="the store in Redis holds on servers of its own, one and six in a Cluster"
  [outside]="crates that only use it build and pass: tests with the feature testing, an MCP server, an adapter written from the page, OpenTelemetry"
  [guard]="a request takes no more instructions, hashes and allocations than before"
  [databases]="histories and the example server hold on PostgreSQL and Redis, killed with everything under way"
  [tree]="the default features pull in few crates, no runtime and no C code"
  [deny]="licences, banned crates and sources are as deny.toml allows"
)
declare -A advice=(
  [fmt]="Run 'cargo fmt' and look at what it changed."
  [clippy]="Mend the code, or say in an #[expect(.., reason)] why the lint is wrong here."
  [features]="The feature named last lacks an item or leaves one unused: a #[cfg(feature)] is missing or too wide."
  [docs]="A link or a code fence in a doc comment is broken: the message above names the line."
  [test]="Repeat one test with 'cargo test --all-features NAME -- --nocapture'."
  [browser]="Repeat one test with 'cargo test --all-features --test browser NAME -- --nocapture'; pictures are in tests/browser/screenshots."
  [postgres]="Repeat one test with 'cargo test --all-features --test postgres NAME -- --nocapture'."
  [redis]="Repeat one test with 'cargo test --all-features --test redis NAME -- --nocapture'."
  [outside]="Something public has changed: mend examples/testing, examples/mcp, examples/poem or examples/opentelemetry as a user would have to, and tell it in CHANGELOG.md."
  [guard]="Find what the request does more: valgrind --tool=callgrind on 'benches/target/release/count hot PATH'. If it is worth it: benches/guard --write, and say why in the commit."
  [databases]="Repeat a history with 'GRANTOR_HISTORY_SEED=N cargo test --all-features --test history_databases NAME', the rest with '--test example_databases'."
  [tree]="See who wants the crate with 'cargo tree -e normal,build -i CRATE'; make it optional or do without it."
  [deny]="See who wants the crate with 'cargo tree -i CRATE'; an exception in deny.toml needs its reason beside it."
)

fail() {
  printf 'scripts/test.sh: %s\n' "$1" >&2
  exit 1
}

# --- the tools ---------------------------------------------------------------------------------------------------

need_component() { # cargo subcommand, rustup component
  cargo "$1" --version >/dev/null 2>&1 && return
  command -v rustup >/dev/null || fail "'cargo $1' is missing and there is no rustup to add it: install $2 of your Rust toolchain."
  rustup component add "$2" || fail "'cargo $1' is missing and rustup could not add it: run 'rustup component add $2' where there is a network."
}

need_deny() {
  cargo deny --version >/dev/null 2>&1 && return
  echo "Installing cargo-deny; this happens once and takes some minutes."
  cargo install --locked cargo-deny --version '^0.20' || fail "cargo-deny is missing and could not be installed: run 'cargo install --locked cargo-deny' where there is a network."
}

need_valgrind() { # counts instructions; without it the guard still counts allocations
  command -v valgrind >/dev/null && return
  command -v apt-get >/dev/null || return 0
  echo "Installing valgrind; this happens once."
  local -a as=()
  ((EUID == 0)) || as=(sudo -n)
  { "${as[@]}" apt-get update -qq && "${as[@]}" apt-get install -qq -y --no-install-recommends valgrind; } >/dev/null ||
    echo "valgrind could not be installed: only allocations are counted."
}

# The programs of PostgreSQL 15 or later; the tests start servers of their own, and none is to run because of this.
need_postgres() {
  [[ -n ${GRANTOR_POSTGRES_BIN:-} ]] && return
  compgen -G '/usr/lib/postgresql/1[5-9]/bin/initdb' >/dev/null && compgen -G '/usr/*bin/pgbouncer' >/dev/null && return
  local how="install PostgreSQL 15 or later and PgBouncer (Debian: 'apt-get install postgresql pgbouncer'), or set GRANTOR_POSTGRES_BIN to the directory with initdb and postgres"
  command -v apt-get >/dev/null || fail "PostgreSQL or PgBouncer is missing: $how."
  echo "Installing PostgreSQL and PgBouncer; this happens once."
  local -a root=(env DEBIAN_FRONTEND=noninteractive)
  ((EUID == 0)) || root=(sudo "${root[@]}")
  "${root[@]}" apt-get update -qq && "${root[@]}" apt-get install -y -qq --no-install-recommends postgresql-common &&
    "${root[@]}" sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf &&
    "${root[@]}" apt-get install -y -qq --no-install-recommends postgresql pgbouncer || fail "PostgreSQL or PgBouncer is missing and could not be installed: $how."
}

need_redis() { # the tests of the store in Redis start servers of their own
  [[ -n ${GRANTOR_REDIS_BIN:-} ]] && return
  command -v redis-server >/dev/null && command -v redis-cli >/dev/null && return
  local how="install Redis 7 or Valkey, so that 'redis-server' and 'redis-cli' are found (Debian: 'apt-get install redis-server')."
  command -v apt-get >/dev/null || fail "redis-server is missing: $how"
  echo "Installing redis-server; this happens once."
  local -a as=()
  ((EUID == 0)) || as=(sudo -n)
  # No server of the system is to be started by it: the tests bring their own up and down.
  { "${as[@]}" apt-get update -qq && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 "${as[@]}" apt-get install -qq -y --no-install-recommends redis-server; } >/dev/null ||
    fail "redis-server is missing and could not be installed: $how"
}

need_browser() { # Chromium with its driver, and what looks for barriers in pages
  local how="install Chromium, chromedriver and npm (Debian: 'apt-get install chromium chromium-driver npm')"
  # Each by itself: the npm that comes with another Node.js does not go together with Debian's.
  local -a missing=()
  command -v chromedriver >/dev/null || missing+=(chromium chromium-driver fonts-dejavu-core)
  command -v npm >/dev/null || missing+=(npm)
  if ((${#missing[@]} > 0)); then
    command -v apt-get >/dev/null || fail "chromedriver or npm is missing: $how."
    echo "Installing ${missing[*]}; this happens once."
    local -a root=(env DEBIAN_FRONTEND=noninteractive)
    ((EUID == 0)) || root=(sudo -n "${root[@]}")
    { "${root[@]}" apt-get update -qq && "${root[@]}" apt-get install -qq -y --no-install-recommends "${missing[@]}"; } >/dev/null ||
      fail "chromedriver or npm is missing and could not be installed: $how."
  fi
  [[ -f tests/browser/node_modules/axe-core/axe.min.js ]] && return
  (cd tests/browser && npm ci --no-audit --no-fund --silent) || fail "axe-core could not be installed: run 'npm ci' in tests/browser where there is a network."
}

# --- the steps ---------------------------------------------------------------------------------------------------

features() { # the features of the package, one a line
  cargo metadata --locked --no-deps --format-version 1 |
    grep -o '"features":{[^}]*}' | grep -o '"[A-Za-z0-9_-]*":\[' | tr -d '":[' | grep -vx default
}

step_fmt() {
  need_component fmt rustfmt
  cargo fmt --check
}

step_clippy() {
  need_component clippy clippy
  cargo clippy --locked --all-features --all-targets --test browser --test postgres --test redis --test history_databases --test example_databases -- -D warnings
}

# Through clippy, since RUSTFLAGS="-D warnings" would build every dependency once more; clippy denies what rustc warns of, too.
# Only the library: with tests or examples, cargo would add the features that the dev-dependencies ask for.
step_features() {
  need_component clippy clippy
  local feature
  local -a names
  mapfile -t names < <(features)
  ((${#names[@]} > 0)) || fail "'cargo metadata' told no features of $package: the parsing in scripts/test.sh needs mending."
  check_features "no feature" --no-default-features
  for feature in "${names[@]}"; do
    check_features "$feature" --no-default-features --features "$feature"
  done
  check_features "all features" --all-features
}

check_features() {
  local name=$1
  shift
  echo "  $name"
  cargo clippy --quiet --locked -p "$package" --lib "$@" -- -D warnings
}

step_docs() {
  RUSTDOCFLAGS="${RUSTDOCFLAGS:-} -D warnings" cargo doc --locked --no-deps --all-features
}

step_test() {
  cargo test --locked --all-features
}

step_browser() {
  need_browser
  cargo test --locked --all-features --test browser
}

# Neither of these is among the tests that plain 'cargo test' runs: they need more than a toolchain.
step_postgres() {
  need_postgres
  cargo test --locked --all-features --test postgres
}

step_redis() {
  need_redis
  cargo test --locked --all-features --test redis
}

# Packages of their own, in a directory that they share. Their locks follow what this one depends on.
step_outside() {
  local target=${CARGO_TARGET_DIR:-target}
  cargo test --manifest-path examples/testing/Cargo.toml --target-dir "$target/outside"
  cargo test --manifest-path examples/mcp/Cargo.toml --target-dir "$target/outside"
  cargo test --manifest-path examples/opentelemetry/Cargo.toml --target-dir "$target/outside"
  cargo build --manifest-path examples/poem/Cargo.toml --target-dir "$target/outside"
  cargo build --locked --all-features --example with_actix --example with_axum --example with_hyper
  GRANTOR_ADAPTER="$target/outside/debug/with-poem" cargo test --locked --all-features --test adapters
}

step_databases() {
  need_postgres
  need_redis
  cargo build --locked --all-features --example server
  cargo test --locked --all-features --test history_databases --test example_databases
}

step_guard() {
  need_valgrind
  benches/guard
}

step_tree() {
  local crates count wrong
  crates=$(cargo tree --locked -p "$package" -e normal --prefix none --format '{p}' | awk '{print $1, $2}' | sort -u)
  count=$(wc -l <<<"$crates")
  echo "  $count crates, of at most $most_crates"
  if ((count > most_crates)); then
    printf '%s\n' "$crates"
    return 1
  fi
  wrong=$(cargo tree --locked -p "$package" -e normal,build --prefix none --format '{p}' | awk '{print $1}' | sort -u | grep -Ex "$denied_crates" || true)
  if [[ -n $wrong ]]; then
    echo "  not in the default features:" $wrong
    return 1
  fi
}

step_deny() {
  need_deny
  cargo deny --locked --all-features check licenses bans sources
}

# --- the run -----------------------------------------------------------------------------------------------------

if [[ ${1:-} == --list ]]; then
  for step in "${steps[@]}"; do printf '%-10s %s\n' "$step" "${about[$step]}"; done
  exit
fi
for step in "$@"; do
  [[ -n ${about[$step]:-} ]] || fail "there is no step '$step'; the steps are: ${steps[*]}."
done
(($# > 0)) && steps=("$@")
command -v cargo >/dev/null || fail "there is no cargo: install Rust (rust-version in Cargo.toml tells which) and run this again."
[[ -n ${CI:-} ]] && export CARGO_INCREMENTAL="${CARGO_INCREMENTAL:-0}"

summary=()
for step in "${steps[@]}"; do
  printf '\n=== %s: %s\n' "$step" "${about[$step]}"
  begun=$SECONDS
  # A subshell of its own, so that 'set -e' holds inside the step.
  status=0
  set +e
  (set -e; "step_$step")
  status=$?
  set -e
  summary+=("$(printf '%-10s %-6s %4ds' "$step" "$([[ $status == 0 ]] && echo ok || echo FAILED)" "$((SECONDS - begun))")")
  if ((status != 0)); then break; fi
done

printf '\n=== summary\n'
printf '  %s\n' "${summary[@]}"
if ((status != 0)); then
  printf '\nFailed: %s. %s\nThis step alone: scripts/test.sh %s\n' "${about[$step]}" "${advice[$step]}" "$step" >&2
  exit 1
fi
printf '\nAll good.\n'
