# NetScope as an image: the sensor, and netscopectl beside it. docs/install.md tells its uses.
#   docker run --rm -v "$PWD:/data:ro" netscope -r trace.pcap
#   docker run -d --network host --cap-drop ALL --cap-add NET_RAW --read-only netscope -i eth0 --alerts-jsonl -
ARG BASE=docker.io/library/debian:bookworm-slim

# The page: built here, or taken as scripts/build-web built it (web/dist), where no package registry is in reach.
FROM ${BASE} AS page
COPY scripts/build-web /source/scripts/
COPY proto/google /source/proto/google
COPY web /source/web
RUN if [ ! -e /source/web/dist/index.html ]; then \
        apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nodejs npm ca-certificates && \
        /source/scripts/build-web; \
    fi

FROM ${BASE} AS build
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    gcc libc6-dev cmake ninja-build pkg-config libcap2-bin \
    libpcap-dev libcap-dev libyaml-dev libssl-dev libxxhash-dev zlib1g-dev libzstd-dev libcurl4-openssl-dev \
    libprotobuf-c-dev protobuf-c-compiler libprotobuf-dev protobuf-compiler libjansson-dev libgrpc-dev \
    libmicrohttpd-dev libwslay-dev
COPY . /source
COPY --from=page /source/web/dist /source/web/dist
# Warnings are for those who change the code. The paths of the build stay out of the binary.
RUN cmake -S /source -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release -DNETSCOPE_WERROR=OFF -DCMAKE_INSTALL_PREFIX=/usr \
        -DCMAKE_C_FLAGS="-ffile-prefix-map=/source=. -ffile-prefix-map=/build=build" && \
    cmake --build /build --target netscope netscopectl && \
    DESTDIR=/out cmake --install /build --strip && \
    mkdir /image /image/bin && \
    mv /out/usr/bin/netscope /out/usr/bin/netscopectl /image/bin/ && \
    setcap cap_net_raw+p /image/bin/netscope

FROM ${BASE}
ARG BASE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="netscope" \
      org.opencontainers.image.description="A network sensor: flows, statistics and alerts of interfaces and capture files" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.vendor="The NetScope authors" \
      org.opencontainers.image.base.name="${BASE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# The libraries, by packages, so that scanners know what is there; the certificates for webhooks. Logs, lists and caches
# hold dates: without them the layer is the same again. Of what libgrpc29 brings, 11 MB serve generators of code and a
# library without TLS, which nothing here loads. No program may make its user another one: where privileges may be gained at
# all, netscope is the only one to gain any.
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        libcap2 libcurl4 libgrpc29 libjansson4 libmicrohttpd12 libpcap0.8 libprotobuf-c1 libssl3 libwslay1 libyaml-0-2 \
        libzstd1 zlib1g \
        ca-certificates && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/cache/ldconfig/aux-cache \
        /var/lib/dpkg/*-old /var/log/* /usr/share/doc/* /usr/share/man/* /usr/share/locale/* \
        /usr/lib/*/libgrpc_unsecure.so.* /usr/lib/*/libgrpc_plugin_support.so.* /usr/lib/*/libprotobuf.so.* \
        /usr/lib/*/libprotoc.so.* && \
    find / -xdev -type f -perm /6000 -exec chmod a-s {} +
COPY LICENSE /usr/share/doc/netscope/copyright
COPY --from=build /image/bin/ /usr/bin/
# The capability on the file is the right to capture without being root; it is permitted and not in effect until a live
# capture raises it, so the program starts with every capability dropped as well.
ENV container=oci
WORKDIR /data
USER 65532:65532
ENTRYPOINT ["/usr/bin/netscope"]
