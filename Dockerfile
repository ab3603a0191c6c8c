# One image for `ecm migrate`, `ecm web` and `ecm worker`. It runs as nobody in particular and writes nothing but /tmp.
FROM python:3.13-slim-bookworm AS made

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /app
WORKDIR /src
COPY pyproject.toml constraints.txt README.md ./
COPY ecm ecm
COPY ingest ingest
COPY alerts alerts
COPY geo geo
RUN /app/bin/pip install --constraint constraints.txt .

FROM python:3.13-slim-bookworm

COPY --from=made /app /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ECM_HOST=0.0.0.0
WORKDIR /tmp
USER 10001:10001
EXPOSE 8000
ENTRYPOINT ["ecm"]
CMD ["web"]
