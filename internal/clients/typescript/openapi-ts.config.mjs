import { fileURLToPath } from 'node:url';
import { defineConfig } from '@hey-api/openapi-ts';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  input: here('../../../openapi.yaml'),
  // Node needs the extension in imports.
  output: { path: here('../../../gen/clients/typescript'), module: { extension: '.js' } },
  logs: { level: 'silent', file: false },
  plugins: [
    // The caller sets the base URL.
    { name: '@hey-api/client-fetch', baseUrl: false, throwOnError: true },
    // Times stay strings and enums are unions of strings, so no code to convert values is generated.
    '@hey-api/typescript',
    '@hey-api/sdk',
  ],
});
