import { expect, test, type WebSocketRoute } from '@playwright/test';
import { writeCorpus } from './corpus';
import { killPrograms } from './faults';
import { shot, timed } from './page';

const WITHIN = { timeout: 5_000 };

test('what was missed while the socket was away is there within five seconds', async ({ page }) => {
  let isAway = false;
  let open: WebSocketRoute | null = null;
  await page.routeWebSocket(/\/ws\/socket\.io/, async (socket) => {
    if (isAway) {
      await socket.close();
      return;
    }
    open = socket;
    socket.connectToServer();
  });
  await page.goto('/?tab=datasets');
  await expect(page.getByText('API Connected')).toBeVisible();

  isAway = true;
  await (open as WebSocketRoute | null)?.close();
  await expect(page.getByText('Reconnecting…')).toBeVisible(WITHIN);
  await expect(page.getByText('May be out of date')).toBeVisible(WITHIN);
  await shot(page, '22-socket-away');

  const body = { path: writeCorpus(20), name: 'missed' };
  const answer = await page.request.post('/api/v1/datasets/import', { data: body });
  expect(answer.ok()).toBe(true);
  await expect(page.getByRole('article', { name: 'missed' })).toBeVisible(WITHIN);

  isAway = false;
  const seconds = await timed(() => expect(page.getByText('API Connected')).toBeVisible());
  console.log(
    `    right again ${(seconds / 1000).toFixed(1)} s after the server was back (aim < 5)`,
  );
  // A machine at its limit is given twice as long.
  expect(seconds).toBeLessThan(10_000);
  await expect(page.getByText('May be out of date')).toBeHidden();
  const card = page.getByRole('article', { name: 'missed' });
  await expect(card.getByText('Ready')).toBeVisible({ timeout: 60_000 });
});

interface Dataset {
  status: string;
}

/** Asks until the API answers what is wanted; it may be away meanwhile. */
async function untilKnown<T>(ask: () => Promise<T | null>): Promise<T> {
  let found: T | null = null;
  await expect
    .poll(async () => (found = await ask().catch(() => null)) !== null, { timeout: 60_000 })
    .toBe(true);
  return found as T;
}

for (const away of [['api'], ['valkey'], ['valkey', 'api']]) {
  test(`right again after ${away.join(' and ')} had been killed`, async ({ page }) => {
    const name = `after ${away.join(' and ')}`;
    await page.goto('/?tab=datasets');
    await expect(page.getByText('API Connected')).toBeVisible();
    killPrograms(...away);
    if (away.includes('api')) await expect(page.getByText('Reconnecting…')).toBeVisible(WITHIN);

    // What happens as soon as the server is itself again must be on the screen without a reload.
    const body = { path: writeCorpus(20), name };
    const id = await untilKnown(async () => {
      const answer = await page.request.post('/api/v1/datasets/import', { data: body });
      return answer.ok()
        ? ((await answer.json()) as { data: { resource_id: string } }).data.resource_id
        : null;
    });
    await untilKnown(async () => {
      const answer = await page.request.get(`/api/v1/datasets/${id}`);
      return ((await answer.json()) as { data: Dataset }).data.status === 'ready' ? true : null;
    });
    const card = page.getByRole('article', { name, exact: true });
    const seconds = await timed(async () => {
      await expect(card.getByText('Ready')).toBeVisible();
      await expect(page.getByText('API Connected')).toBeVisible();
    });
    console.log(`    right ${(seconds / 1000).toFixed(1)} s ${name} was back (aim < 5)`);
    // A machine at its limit is given twice as long.
    expect(seconds).toBeLessThan(10_000);
    await expect(page.getByText('May be out of date')).toBeHidden();
  });
}
