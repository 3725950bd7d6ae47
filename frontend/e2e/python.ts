import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

function python(...args: readonly string[]): string {
  return execFileSync(join(root, '.venv', 'bin', 'python'), args, { encoding: 'utf8' }).trim();
}

/** A training with 131,072 features in the stack's own database, made once; its id. */
export function seedWide(): string {
  return python(join(import.meta.dirname, 'seed_wide.py'));
}

/** Unpacks an archive into a new folder; its path. */
export function unzip(archive: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'mistudio-archive-'));
  python('-m', 'zipfile', '-e', archive, folder);
  return folder;
}
