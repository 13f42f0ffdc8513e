# shellcheck shell=bash
# What the scripts share: steps with their times, a live line for long commands, and bringing what a
# bare Debian 12 lacks. Sourced, never run. Everything here is safe to repeat.

# shellcheck disable=SC2034 # some are for the scripts that source this

CALLED_FROM=$PWD
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
[[ $TARGET == /* ]] || TARGET=$PWD/$TARGET
export CARGO_TARGET_DIR=$TARGET
LOGS=$TARGET/logs
TOOLS=$TARGET/tools
PATH=$TOOLS/node_modules/.bin:$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
NODE_WANTED="20.19, 22.12 or newer"

mkdir -p "$LOGS"
cd "$ROOT" || exit
trap 'exit 130' INT TERM # so that what is interrupted never counts as done

# Saying things

say() { printf '%s\n' "$*"; }
note() { printf '      %s\n' "$*"; }

# fail WHAT [WHAT-TO-DO ...]: says both and ends the script.
fail() {
    printf '\n%s\n' "$1" >&2
    shift
    (($# == 0)) || printf '  %s\n' "$@" >&2
    exit 1
}

# in_words SECONDS
in_words() {
    if (($1 < 60)); then printf '%d s' "$1"; else printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); fi
}

# Steps: step TITLE … step_done. STEPS is how many there will be.

STEPS=0
STEP=0
STEP_TITLE=
STEP_BEGUN=0

step() {
    STEP=$((STEP + 1))
    STEP_TITLE=$1
    STEP_BEGUN=$SECONDS
    printf '[%d/%d] %s …\n' "$STEP" "$STEPS" "$1"
}

# step_done [WHAT]: how the step ended, when "done" does not say it.
step_done() {
    note "${1:-done}, $(in_words $((SECONDS - STEP_BEGUN)))"
    STEP_TITLE=
}

# quietly NAME COMMAND …: runs it with its output in a log, showing the last line and the seconds.
# When it fails, shows the end of the log.
quietly() {
    local log=$LOGS/$1.log
    shift
    if "$@" 2>&1 </dev/null | tee "$log" | live_line; then return; fi
    printf '\n' >&2
    tail -n 30 "$log" | sed 's/^/      | /' >&2
    printf '      failed: %s\n      all of its output: %s\n' "$*" "$log" >&2
    return 1
}

# One line, written over, of what comes in; a line every 15 s where there is no terminal.
live_line() {
    local line half='' last='' begun=$SECONDS shown=$SECONDS code width=${COLUMNS:-80}
    while true; do
        code=0
        IFS= read -r -t 1 line || code=$?
        if ((code == 0)); then
            last=$half${line//[^[:print:]]/}
            half=
        elif ((code > 128)); then
            half+=$line # a second has passed in the middle of a line
        else
            break
        fi
        if [[ -t 1 ]]; then
            printf '\r\e[K      %s' "$(in_words $((SECONDS - begun)))  ${last:0:width - 20}"
        elif ((SECONDS - shown >= 15)); then
            shown=$SECONDS
            note "$(in_words $((SECONDS - begun)))  ${last:0:100}"
        fi
    done
    [[ ! -t 1 ]] || printf '\r\e[K'
}

# System packages

as_root() {
    if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# Whether what a Debian package is for is here, wherever it came from.
provided() {
    case $1 in
        ca-certificates) [[ -s /etc/ssl/certs/ca-certificates.crt ]] ;;
        libclang-dev) compgen -G '/usr/lib/llvm-*/lib/libclang*.so' || compgen -G '/usr/lib64/libclang.so' ;;
        python3-pip) python3 -c 'import pip' 2>&1 ;;
        nodejs) command -v node ;;
        php-cli) command -v php ;;
        pocketsphinx) command -v pocketsphinx_batch ;;
        pocketsphinx-en-us) [[ -d /usr/share/pocketsphinx/model/en-us ]] ;;
        ktuberling-data) [[ -d /usr/share/ktuberling/sounds ]] ;;
        pocketsphinx-testdata) [[ -d /usr/share/pocketsphinx/test/data ]] ;;
        festvox-suopuhe-mv) [[ -d /usr/share/festival/voices/finnish/hy_fi_mv_diphone ]] ;;
        bucklespring-data) [[ -d /usr/share/buckle/wav ]] ;;
        libopenblas0-pthread) compgen -G '/usr/lib/*/libopenblas.so.0' ;;
        poppler-utils) command -v pdfinfo ;;
        fonts-dejavu-core) [[ -d /usr/share/fonts/truetype/dejavu ]] ;;
        *) command -v "$1" ;; # the package is named after its command
    esac >/dev/null
}

PACKAGE_LISTS_READ=

# need_packages PACKAGE …: installs those that are missing.
need_packages() {
    local package missing=()
    for package in "$@"; do
        provided "$package" || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null || fail "This machine lacks: ${missing[*]} (by their names in Debian)." \
        "Install them with the system's own package manager, and start again."
    note "installing ${missing[*]}"
    if ((EUID != 0)); then
        command -v sudo >/dev/null || fail "Installing needs root, and there is no sudo." \
            "As root: apt-get install ${missing[*]}" "Then start again."
        sudo -v # asks for the password where it can be seen
    fi
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y -q
        -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 --no-install-recommends)
    if [[ -z $PACKAGE_LISTS_READ ]]; then
        quietly apt-update as_root "${apt[@]}" update ||
            fail "The package lists could not be read." "Is the machine on the network?"
        PACKAGE_LISTS_READ=yes # by this run: a second time would bring the same
    fi
    quietly apt-install as_root "${apt[@]}" install "${missing[@]}" ||
        fail "Not all system packages could be installed." \
            "Put right what is said above, or install them yourself: ${missing[*]}"
    for package in "${missing[@]}"; do
        provided "$package" || fail "$package is installed and yet what it is for cannot be found."
    done
}

# What compiling the server takes, and bringing models.
need_build_packages() {
    need_packages ca-certificates curl git cmake g++ make pkg-config libclang-dev python3 python3-pip
}

# Rust

rust_wanted() { sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml; }

rust_fits() {
    local have
    have=$(cargo --version 2>/dev/null | cut -d' ' -f2) || return 1
    [[ -n $have && $(printf '%s\n' "$(rust_wanted)" "$have" | sort -V | head -n 1) == "$(rust_wanted)" ]]
}

need_rust() {
    rust_fits && return
    if command -v rustup >/dev/null; then
        note "updating Rust"
        quietly rust rustup toolchain install stable --profile minimal -c clippy -c rustfmt || true
        export RUSTUP_TOOLCHAIN=stable
    else
        note "installing Rust"
        local installer=$TARGET/rustup-init.sh
        if quietly rust-installer curl --proto '=https' --tlsv1.2 -fsS --retry 2 \
            --connect-timeout 10 -o "$installer" https://sh.rustup.rs; then
            quietly rust env RUSTUP_INIT_SKIP_PATH_CHECK=yes sh "$installer" -y --no-modify-path \
                --profile minimal -c clippy -c rustfmt || true
        fi
        rm -f "$installer"
    fi
    hash -r
    rust_fits || fail "Rust $(rust_wanted) or newer is needed and could not be installed." \
        "Install it as https://rustup.rs says, so that \`cargo --version\` answers, and start again."
}

# Node and the web part

node_fits() {
    command -v npm >/dev/null && node -e '
        const [major, minor] = process.versions.node.split(".").map(Number);
        const fits = major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);
        process.exit(fits ? 0 : 1)' 2>/dev/null
}

# Debian 12 has Node 18. Its npm can bring a newer one, which is kept to this project.
need_node() {
    node_fits && return
    need_packages nodejs npm
    hash -r
    node_fits && return
    note "Node $(node --version) is too old; bringing a newer one into $TOOLS"
    mkdir -p "$TOOLS"
    quietly node npm install --prefix "$TOOLS" --no-audit --no-fund node@22 npm@10 || true
    hash -r
    node_fits || fail "Node $NODE_WANTED is needed and could not be installed." \
        "Install it, so that \`node --version\` answers, and start again."
}

# The stamps lie in node_modules: who removes that removes them too.
WEB_INSTALLED=web/node_modules/.vuoro-installed
WEB_BUILT=web/node_modules/.vuoro-built

installed_state() { { node --version && cat web/package.json web/package-lock.json; } | sha256sum; }

source_state() {
    find web \( -name node_modules -o -path web/dist \) -prune -o -type f -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
}

# Installs the packages of web/ when the lock file has changed since last time.
install_web() {
    local state
    state=$(installed_state)
    [[ -f $WEB_INSTALLED && $(<"$WEB_INSTALLED") == "$state" ]] && return
    note "installing its packages"
    # One retry, soon: npm's own patience keeps a machine without a network waiting for minutes.
    quietly web-install npm ci --prefix web --no-audit --no-fund \
        --fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000 ||
        fail "The packages of the web part could not be installed." "Is the machine on the network?"
    printf '%s\n' "$state" >"$WEB_INSTALLED"
}

# Builds web/dist when anything in web/ has changed since last time.
build_web() {
    local state
    state=$(source_state)
    [[ -d web/dist && -f $WEB_BUILT && $(<"$WEB_BUILT") == "$state" ]] && return
    quietly web-build npm run --prefix web build || fail "The web part does not build."
    printf '%s\n' "$state" >"$WEB_BUILT"
}
