import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

function findChromium(): string {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const command = names.map((name) => `command -v ${name}`).join(' || ');
  return execFileSync('bash', ['-c', command], { encoding: 'utf8' }).trim();
}

function mistudio(action: 'up' | 'down', home: string): void {
  execFileSync(join(root, '.venv', 'bin', 'mistudio'), [action], {
    env: { ...process.env, MISTUDIO_HOME: home, MISTUDIO_PORT: '0' },
    stdio: 'inherit',
  });
}

interface Services {
  url: string;
}

/** Uses the stack at MISTUDIO_URL, or starts one of its own in a temporary home. */
export default function globalSetup(): (() => void) | undefined {
  process.env.CHROME ??= findChromium();
  if (process.env.MISTUDIO_URL) return undefined;
  const home = mkdtempSync(join(tmpdir(), 'mistudio-e2e-'));
  process.env.MISTUDIO_HOME = home;
  mistudio('up', home);
  const file = join(home, 'run', 'services.json');
  const services = JSON.parse(readFileSync(file, 'utf8')) as Services;
  process.env.MISTUDIO_URL = services.url;
  return () => {
    mistudio('down', home);
    rmSync(home, { recursive: true, force: true });
  };
}
