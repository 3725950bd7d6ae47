import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** A training with 131,072 features in the stack's own database, made once; its id. */
export function seedWide(): string {
  const python = join(root, '.venv', 'bin', 'python');
  const script = join(import.meta.dirname, 'seed_wide.py');
  return execFileSync(python, [script], { encoding: 'utf8' }).trim();
}
