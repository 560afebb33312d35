import { fileURLToPath } from 'node:url';
import { defineConfig } from '@hey-api/openapi-ts';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  input: here('../../../openapi.yaml'),
  // Node's modules want the extension.
  output: { path: here('../../../gen/clients/typescript'), module: { extension: '.js' } },
  logs: { level: 'silent', file: false },
  plugins: [
    // Where the service is, is the caller's to say.
    { name: '@hey-api/client-fetch', baseUrl: false, throwOnError: true },
    // Times stay the strings that they are on the wire, and enums are unions of their values: nothing is
    // converted, so nothing has to be generated for it.
    '@hey-api/typescript',
    '@hey-api/sdk',
  ],
});
