# The fleet: one image, one process a container (`node apps/<app>/src/main.ts`; docker-compose.yml names them).
# Node runs the TypeScript files as they are. It refuses them under a real node_modules folder, so npm's workspace
# links must stay links: `npm ci` makes them, and only whole folders are copied beside them.

# The manifests alone, so that the packages are installed again only when one of these changes.
FROM node:24-bookworm-slim AS manifests
WORKDIR /source
COPY . .
RUN mkdir /manifests && find . -name package.json -o -name package-lock.json -o -name .npmrc \
  | tar --create --files-from - | tar --extract --directory /manifests

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="DeepLens tenant control plane"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=manifests /manifests ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force
COPY libs libs
COPY apps apps
USER 10001:10001
