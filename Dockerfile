# syntax=docker/dockerfile:1
FROM node:20-bookworm AS pages
WORKDIR /src
COPY . .
RUN scripts/build-web

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY --from=pages /src .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/target \
    CARGO_TARGET_DIR=/target cargo build --release --locked --bin flowforge && \
    install -D /target/release/flowforge /out/flowforge

FROM debian:bookworm-slim
# Outgoing calls over TLS need the roots of trust.
RUN apt-get update && \
    apt-get install -y --no-install-recommends ca-certificates && \
    rm -rf /var/lib/apt/lists/* && \
    useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin flowforge && \
    install -d -o flowforge -g flowforge -m 700 /data
COPY --from=build /out/flowforge /usr/local/bin/flowforge
USER flowforge
WORKDIR /data
VOLUME /data
ENV FLOWFORGE__SERVER__BIND=0.0.0.0:8080 \
    FLOWFORGE__DATA_DIR=/data \
    FLOWFORGE__DATABASE__URL=sqlite:///data/flowforge.db \
    FLOWFORGE__ARTIFACT__URL=file:///data/artifacts \
    FLOWFORGE__LOG__FORMAT=json
EXPOSE 8080
# The image has no HTTP client; bash opens the connection itself.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /ready HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["flowforge"]
CMD ["serve"]
