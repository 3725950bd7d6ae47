import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const backend = process.env.MISTUDIO_URL ?? 'http://127.0.0.1:8000';

const WHOLE_PAGE = 'src/App.test.tsx';

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: {
    port: 5173,
    proxy: {
      '/api': backend,
      '/ws': { target: backend, ws: true },
    },
  },
  preview: {
    proxy: {
      '/api': backend,
      '/ws': { target: backend, ws: true },
    },
  },
  build: { outDir: 'dist', sourcemap: false },
  test: {
    environment: 'jsdom',
    globals: true,
    setupFiles: ['src/test/setup.ts'],
    restoreMocks: true,
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['src/**/*.test.{ts,tsx}'],
          exclude: [WHOLE_PAGE],
          // One environment per worker: making one costs more than most files' tests.
          isolate: false,
        },
      },
      {
        extends: true,
        // It puts another socket under modules that the other files have loaded already.
        test: { name: 'page', include: [WHOLE_PAGE], isolate: true },
      },
    ],
    // Generous for a machine whose two cores also run the backend's tests.
    testTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    // By default one core is kept free, which on two cores halves the speed.
    maxWorkers: '100%',
    coverage: {
      provider: 'v8',
      include: ['src/**/*.{ts,tsx}'],
      exclude: ['src/main.tsx', 'src/test/**', 'src/types/**', 'src/services/generated/**'],
      thresholds: { lines: 80, statements: 80, functions: 80, branches: 80 },
      reporter: ['text-summary', 'html'],
    },
  },
});
