# syntax=docker/dockerfile:1

# The compiled service, made with all development tools.
FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build

# What the compiled service needs to run, and nothing else.
FROM node:26-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && npm cache clean --force

FROM node:26-slim
ENV NODE_ENV=production LLLM_HOST=0.0.0.0 LLLM_DATABASE=/app/data/lllm.db
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json lllm.toml ./
COPY tactics ./tactics
COPY configs ./configs
COPY prompts ./prompts
RUN mkdir data && chown node:node data
# By number, so that who starts it can see that it is not root. It is the user `node`.
USER 1000:1000
VOLUME /app/data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.LLLM_PORT || process.env.PORT || 8080}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# More room for what is young: what a call holds while it waits for a model is then copied less often, which saves a tenth
# of the CPU with hundreds of calls under way. It is taken only under load. And nothing is taken for old from the beginning: it would keep
# calls that are over until the next collection of all.
CMD ["node", "--min-semi-space-size=16", "--max-semi-space-size=128", "--no-allocation-site-pretenuring", "dist/src/main.js"]
