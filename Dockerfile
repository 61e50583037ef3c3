# One image for the whole system: what runs in it is the command of the container.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
# The locks change less often than the code: their layer stays in the cache.
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes -r requirements/build.txt \
    && python -m venv --without-pip /opt/bff \
    && /opt/build/bin/pip --python /opt/bff/bin/python install --require-hashes -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY bff_core bff_core
COPY bff_core_cli bff_core_cli
COPY bff_core_pytest bff_core_pytest
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/build/bin/pip --python /opt/bff/bin/python install --no-deps --no-index /wheels/*.whl

FROM python:${PYTHON}-slim
ENV PATH=/opt/bff/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORT=8000
# A container is reached from outside; all else is the environment's to say, docs/reference/settings.md.
ENV BFF_HOST=0.0.0.0
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin bff
WORKDIR /app
COPY --from=build /opt/bff /opt/bff
COPY services_mock services_mock
COPY bffs bffs
USER 10001
# /healthz calls no service: a dead service must not make the gateways in front of it restart.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as http; http.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=2)"]
CMD ["bff", "serve", "bffs.web.app:app", "--port", "8000"]
