# The fleet: one image, one process a container (`node apps/<app>/src/main.js`; docker-compose.yml names them).
# The code is the repository's with its types stripped (docs/decisions/0019-images-ship-stripped-code.md).

# The manifests alone, so that the packages are installed again only when one of these changes.
FROM node:24-bookworm-slim AS manifests
WORKDIR /source
COPY . .
RUN mkdir /manifests && find . -name package.json -o -name package-lock.json -o -name .npmrc \
  | tar --create --files-from - | tar --extract --directory /manifests

FROM node:24-bookworm-slim AS code
WORKDIR /code
COPY libs libs
COPY apps apps
COPY scripts/strip-types.mjs ./
# The console is a page: it is built below, and has no process.
RUN rm -r apps/console && node --disable-warning=ExperimentalWarning strip-types.mjs libs apps

FROM node:24-bookworm-slim AS console
WORKDIR /app
COPY --from=manifests /manifests ./
RUN npm ci --workspace @deeplens/console --ignore-scripts && npm cache clean --force
COPY libs libs
COPY apps/console apps/console
COPY tsconfig.base.json ./
RUN npm run build --workspace @deeplens/console

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="DeepLens tenant control plane"
ENV NODE_ENV=production
# Small heaps, and memory given back: docs/performance.md says what each is worth, and what it costs.
ENV NODE_OPTIONS="--max-old-space-size=192 --max-semi-space-size=2"
ENV MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=65536
WORKDIR /app
COPY --from=manifests /manifests ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force
COPY --from=code /code/libs libs
COPY --from=code /code/apps apps
COPY --from=console /app/apps/console/dist apps/console/dist
USER 10001:10001
