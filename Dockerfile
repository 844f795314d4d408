FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements/runtime.txt /tmp/runtime.txt
RUN /opt/venv/bin/pip install --require-hashes -r /tmp/runtime.txt

FROM python:3.11-slim
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.base.settings \
    LOYALTY_ENV=production \
    LOYALTY_DATA_DIR=/var/lib/loyalty
RUN useradd --system --uid 10001 --home-dir /var/lib/loyalty --create-home loyalty
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY . /app
# The manifest needs settings that load, not the secrets of a real site.
RUN python -m compileall -q /app /opt/venv \
 && SECRET_KEY=only-for-collecting-static-files-0123456789 LOYALTY_KEYS=1:build \
    DATABASE_URL=postgres://build@localhost/build CELERY_BROKER_URL=redis://localhost \
    python manage.py collectstatic --noinput \
 && chown -R loyalty /var/lib/loyalty
USER loyalty
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen(u.Request('http://127.0.0.1:8000/livez', headers={'Host': 'localhost'}), timeout=4)"]
CMD ["granian", "--interface", "wsgi", "--no-ws", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "4", "--respawn-failed-workers", "config.wiring.wsgi:application"]
