# LSR Explorer in a container: CPU by default; `--build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu128` for CUDA.
FROM python:3.13-slim AS build
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /source
RUN python -m venv /opt/lsr
COPY constraints.txt ./
RUN /opt/lsr/bin/pip install --no-cache-dir -c constraints.txt torch --index-url "${TORCH_INDEX}"
COPY pyproject.toml README.md LICENSE ./
COPY lsr_core ./lsr_core
COPY app ./app
COPY sample_models ./sample_models
RUN /opt/lsr/bin/pip install --no-cache-dir -c constraints.txt '.[dashboard,onnx]'

FROM python:3.13-slim
RUN useradd --create-home --uid 10001 lsr && mkdir /data && chown lsr /data
COPY --from=build /opt/lsr /opt/lsr
ENV PATH=/opt/lsr/bin:$PATH LSR_RUNS=/data/runs PYTHONUNBUFFERED=1
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8501
# Whether the port answers; without the token every page, this one too, is refused, which is an answer.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", "import socket; socket.create_connection(('127.0.0.1', 8501), 4).close()"]
ENTRYPOINT ["lsr"]
CMD ["dashboard", "--host", "0.0.0.0", "--port", "8501", "--no-browser"]
