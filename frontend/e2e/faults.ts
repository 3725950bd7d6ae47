import { expect, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Services {
  processes: { name: string; pid: number | null }[];
}

/** The numbers of programs of the stack, once all of them run; none of a stack that is not our own. */
async function pidsOf(names: readonly string[]): Promise<number[]> {
  const home = process.env.MISTUDIO_HOME;
  if (!home) return [];
  const read = () => {
    const file = readFileSync(join(home, 'run', 'services.json'), 'utf8');
    const { processes } = JSON.parse(file) as Services;
    return processes.flatMap(({ name, pid }) => (names.includes(name) && pid ? [pid] : []));
  };
  // One that was killed before has none until its supervisor has started it again.
  await expect.poll(read).toHaveLength(names.length);
  return read();
}

/** SIGKILL to programs of the stack; its supervisor starts them again. Needs a stack of our own. */
export async function killPrograms(...names: string[]): Promise<void> {
  for (const pid of await pidsOf(names)) process.kill(pid, 'SIGKILL');
}

/** Stops a program of the stack while something is done; what is meant for it waits that long. */
export async function whileHeld(name: string, act: () => Promise<void>): Promise<void> {
  const pids = await pidsOf([name]);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  try {
    await act();
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGCONT');
  }
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
