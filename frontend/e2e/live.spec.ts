import { expect, test, type WebSocketRoute } from '@playwright/test';
import { writeCorpus } from './corpus';
import { killPrograms } from './faults';
import { noteMessages, shot, timed, told } from './page';

test('what was missed while the socket was away is there again', async ({ page }) => {
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
  await expect(page.getByText('Reconnecting…')).toBeVisible();
  await expect(page.getByText('May be out of date')).toBeVisible();
  await shot(page, '22-socket-away');

  const body = { path: writeCorpus(20), name: 'missed' };
  const answer = await page.request.post('/api/v1/datasets/import', { data: body });
  expect(answer.ok()).toBe(true);
  await expect(page.getByRole('article', { name: 'missed' })).toBeVisible();

  isAway = false;
  const ms = await timed(() => expect(page.getByText('API Connected')).toBeVisible());
  told('right again after the server was back', ms / 1000, 's', '< 5');
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
    .poll(async () => (found = await ask().catch(() => null)) !== null, { timeout: 240_000 })
    .toBe(true);
  return found as T;
}

for (const away of [['api'], ['valkey'], ['valkey', 'api']]) {
  test(`right again after ${away.join(' and ')} had been killed`, async ({ page }) => {
    const name = `after ${away.join(' and ')}`;
    await page.goto('/?tab=datasets');
    await expect(page.getByText('API Connected')).toBeVisible();
    const messages = await noteMessages(page);
    await killPrograms(...away);
    // On a fast machine the API is there again before anybody looks.
    if (away.includes('api')) await expect.poll(messages).toContain('Reconnecting…');

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
    const ms = await timed(async () => {
      await expect(card.getByText('Ready')).toBeVisible();
      await expect(page.getByText('API Connected')).toBeVisible();
    });
    told(`right ${name} was back`, ms / 1000, 's', '< 5');
    await expect(page.getByText('May be out of date')).toBeHidden();
  });
}
