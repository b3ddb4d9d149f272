// nginx as a plain reverse proxy: one worker, connections to the upstream kept, nothing buffered, nothing logged. The
// yardstick: it does none of a gateway's work.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../children.ts'
import { launch, type Target, versionOf } from './target.ts'

const READY_MS_MAX = 10_000

function configuration(port: number, upstreamPort: number, asRoot: boolean): string {
  return `
${asRoot ? 'user root;' : ''}
daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
error_log stderr error;
pid nginx.pid;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  upstream model { server 127.0.0.1:${upstreamPort}; keepalive 1024; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=2048;
    keepalive_requests 1000000000;
    client_max_body_size 64m;
    client_body_buffer_size 2m;
    location / {
      proxy_pass http://model;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_request_buffering off;
      proxy_read_timeout 300s;
    }
  }
}
`
}

export const nginx: Target = {
  name: 'nginx',
  find: async () => {
    const version = versionOf('nginx', ['-v'], /nginx\/(\S+)/)
    return version === null ? { missing: 'nginx is not on the PATH' } : { version }
  },
  start: async (facts, version) => {
    const port = await freePort()
    const file = join(facts.folder, 'nginx.conf')
    writeFileSync(file, configuration(port, facts.upstreamPort, process.getuid?.() === 0))
    return launch({
      name: 'nginx',
      version,
      port,
      adminPort: null,
      path: '/v1/chat/completions',
      headers: {},
      model: 'gpt-4o-mini',
      check: 'bytes',
      command: { command: 'nginx', args: ['-p', facts.folder, '-c', file], pin: facts.pin },
      readyMsMax: READY_MS_MAX,
    })
  },
}
