import { expect, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Services {
  processes: { name: string; pid: number }[];
}

/** SIGKILL to programs of the stack; its supervisor starts them again. Needs a stack of our own. */
export function killPrograms(...names: string[]): void {
  const home = process.env.MISTUDIO_HOME;
  if (!home) return;
  const file = readFileSync(join(home, 'run', 'services.json'), 'utf8');
  const { processes } = JSON.parse(file) as Services;
  for (const { name, pid } of processes) if (names.includes(name)) process.kill(pid, 'SIGKILL');
}

/** Waits until the API itself says that the training of the address is over; it may be away. */
export async function untilCompleted(page: Page): Promise<void> {
  const id = new URL(page.url()).searchParams.get('training') ?? '';
  const read = async (): Promise<unknown> => {
    const response = await page.request.get(`/api/v1/trainings/${id}`).catch(() => null);
    if (!response?.ok()) return null;
    return ((await response.json()) as { data: { status: string } }).data.status;
  };
  await expect.poll(read, { timeout: 240_000 }).toBe('completed');
}
