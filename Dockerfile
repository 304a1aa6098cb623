# The web application with one pipeline, which is a wheel (`spacy package`), and this package's own wheel in dist:
#   docker build --build-arg PIPELINE=en_hmtl_web_md --build-arg WHEELS=packages/en_hmtl_web_md-0.1.0/dist -t hmtl .
#   docker run --rm --read-only --tmpfs /tmp -p 127.0.0.1:8000:8000 hmtl
# Without a GPU, TORCH_INDEX is the address of torch's CPU builds that pytorch.org names: gigabytes less.
FROM python:3.12-slim AS build
ARG WHEELS
ARG TORCH_INDEX=""
RUN python -m venv /opt/hmtl
RUN /opt/hmtl/bin/pip install --no-cache-dir ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch
COPY dist/*.whl ${WHEELS}/*.whl /wheels/
RUN /opt/hmtl/bin/pip install --no-cache-dir "$(ls /wheels/hmtl_spacy-*.whl)[serve]" $(ls /wheels/*.whl | grep -v /hmtl_spacy-)

FROM python:3.12-slim
ARG PIPELINE
RUN useradd --system --no-create-home hmtl
COPY --from=build /opt/hmtl /opt/hmtl
ENV PIPELINE=${PIPELINE} PATH=/opt/hmtl/bin:$PATH PYTHONDONTWRITEBYTECODE=1 HF_HUB_OFFLINE=1
USER hmtl
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/api/health', timeout=4)"]
# the server is reached through the published port: what stands in front of it names the hosts that it serves
CMD ["sh", "-c", "exec python -m spacy hmtl serve \"$PIPELINE\" --host 0.0.0.0 --port 8000 --limit-seconds 30"]
