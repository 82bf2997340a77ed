# shellcheck shell=bash
# What apt has to bring, in one place, and the one step that brings it. Sourced by quickstart and test.

# Builds and runs netscope.
CORE_PACKAGES=(
    gcc libc6-dev cmake ninja-build pkg-config
    libpcap-dev libcap-dev libyaml-dev libssl-dev libxxhash-dev zlib1g-dev libzstd-dev libcurl4-openssl-dev
    libprotobuf-c-dev protobuf-c-compiler libprotobuf-dev protobuf-compiler libjansson-dev libgrpc-dev
    libmicrohttpd-dev libwslay-dev
)

# Tests it: Criterion, the second compiler with its fuzzer, traffic, checks of style.
# shellcheck disable=SC2034 # read by scripts/test
TEST_PACKAGES=(
    "${CORE_PACKAGES[@]}"
    libcriterion-dev clang clang-format clang-tidy libclang-rt-14-dev llvm
    python3 python3-yaml python3-grpcio python3-protobuf python3-prometheus-client
    tcpreplay nmap hping3 iproute2 ethtool prometheus nginx chromium util-linux zstd gzip shellcheck
    yamllint man-db groff-base strace libcap2-bin dpkg-dev openssl tcpdump
)

# A Kubernetes of one node, and the image in it: scripts/test --cluster.
# shellcheck disable=SC2034 # read by scripts/test
CLUSTER_PACKAGES=(
    etcd-server containerd runc containernetworking-plugins iptables buildah podman debootstrap curl gcc libc6-dev
)

# The page. Node.js of another origin conflicts with Debian's npm, and does as well.
command -v node >/dev/null || TEST_PACKAGES+=(nodejs)
command -v npm >/dev/null || TEST_PACKAGES+=(npm)

say()
{
    printf '%s\n' "$*"
}

die()
{
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 2
}

# The packages of "$@" that are not installed, one a line.
missing_packages()
{
    local package
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Abbrev}\n' "$package" 2>/dev/null | grep -q '^ii' || say "$package"
    done
}

# Runs "$@" as root: as it is when we are root, else by sudo.
as_root()
{
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "needs root to install packages and sudo is not there; as root run: $*"
    fi
}

# Installs what is missing of "$@"; says first what that is. Nothing missing: nothing happens.
install_packages()
{
    local missing
    command -v apt-get >/dev/null || die "this script installs with apt-get (Debian 12); it is not there"
    mapfile -t missing < <(missing_packages "$@")
    if [ "${#missing[@]}" -eq 0 ]; then
        say "Packages: all ${#} are installed."
        return
    fi
    say "Packages to install with apt-get: ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}
