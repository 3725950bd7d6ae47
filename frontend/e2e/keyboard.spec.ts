import { expect, test, type Locator } from '@playwright/test';
import { SHORTCUTS } from '../src/utils/shortcuts';
import { collectErrors, expectNoSeriousFault, noteMessages, shot } from './page';

/** How Playwright names what the page's own list calls otherwise. */
const NAMES: Readonly<Record<string, string>> = {
  'Ctrl K': 'Control+k',
  'Ctrl Enter': 'Control+Enter',
  Esc: 'Escape',
  '←': 'ArrowLeft',
  '→': 'ArrowRight',
};

test('every key of the list does what it says, and no mouse is needed', async ({ page }) => {
  const errors = collectErrors(page);
  const tried = new Set<string>();
  /** Presses a key by its name in the list, in a part of the page. */
  const press = async (part: string, key: string) => {
    tried.add(`${part}: ${key}`);
    // Together: between two calls a busy machine may let pass what the page waits for a second key.
    const strokes = (NAMES[key] ?? key).split(' ');
    await Promise.all(strokes.map((stroke) => page.keyboard.press(stroke)));
  };
  await page.goto('/');
  await expect(page.getByText('API Connected')).toBeVisible();

  await press('Anywhere', '?');
  const help = page.getByRole('dialog', { name: 'Keyboard' });
  await expect(help).toBeVisible();
  await expectNoSeriousFault(page);
  await shot(page, '20-keys');
  await press('Anywhere', 'Esc');
  await expect(help).toBeHidden();
  const places = ['datasets', 'models', 'training', 'features', 'steering', 'jobs', 'system'];
  for (const [place, key] of places.map((place, n) => [place, 'dmtfsjy'.charAt(n)] as const)) {
    await press('Anywhere', `g ${key}`);
    await expect(page).toHaveURL(new RegExp(`tab=${place}`));
  }
  await press('Anywhere', 'Ctrl K');
  await expect(page.getByRole('combobox', { name: 'Go to' })).toBeFocused();
  await page.keyboard.type('features view');
  await expectNoSeriousFault(page);
  await shot(page, '21-palette');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/tab=features/);

  const part = 'Feature table';
  const table = page.getByRole('region', { name: 'Features', exact: true });
  const rows = table.getByRole('button', { name: /^Open feature/ });
  const isAt = (row: number) => expect(rowAt(table, row)).toBeFocused();
  await expect(rows.first()).toBeVisible();
  await press(part, '/');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await page.keyboard.type('the');
  await expect(page.getByText('matches “the”')).toBeVisible();
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Delete');
  await page.keyboard.press('Escape');
  await expect(page.getByText('matches “the”')).toBeHidden();
  // The rows of the search stay in sight until those of all features are here.
  await expect(table.getByRole('table')).toHaveAttribute('aria-busy', 'false');
  await expect(rows.nth(5)).toBeVisible();

  await press(part, 'j');
  await isAt(0);
  await press(part, 'j');
  await isAt(1);
  await press(part, 'k');
  await isAt(0);
  await press(part, 'End');
  const last = Number(await table.getByRole('table').getAttribute('aria-rowcount')) - 2;
  await isAt(last);
  await press(part, 'Home');
  await isAt(0);
  await press(part, 'x');
  await press(part, 'j');
  await press(part, 'x');
  await expect(page.getByRole('group', { name: 'Chosen features' })).toContainText('2 chosen');
  await expectNoSeriousFault(page);
  await shot(page, '23-chosen');
  await press(part, 'x');
  await press(part, 'k');
  await press(part, 'x');
  await expect(page.getByRole('group', { name: 'Chosen features' })).toBeHidden();
  const star = table.getByRole('button', { name: /^Favourite feature/ }).first();
  await press(part, 'f');
  await expect(star).toHaveAttribute('aria-pressed', 'true');
  await press(part, 'c');
  await press(part, 'j');
  await press(part, 'c');
  await expect(page.getByRole('region', { name: 'Compare tray' })).toContainText('2 of 4');

  await press(part, 'Enter');
  const open = 'Open feature';
  const detail = page.getByRole('dialog', { name: /^Feature #/ });
  const title = detail.getByRole('heading', { level: 2 });
  await expect(title).toBeVisible();
  const second = await title.textContent();
  await press(open, '[');
  await expect(title).not.toHaveText(second ?? '');
  await press(open, ']');
  await expect(title).toHaveText(second ?? '');
  await press(open, 'k');
  await expect(title).not.toHaveText(second ?? '');
  await press(open, 'j');
  await expect(title).toHaveText(second ?? '');
  const text = detail.getByRole('group', { name: 'Example 1', exact: true });
  await text.focus();
  await press(open, '→');
  const strip = text.getByRole('status');
  await expect(strip).not.toBeEmpty();
  const firstToken = await strip.textContent();
  await press(open, '→');
  await expect(strip).not.toHaveText(firstToken ?? '');
  await press(open, '←');
  await expect(strip).toHaveText(firstToken ?? '');
  await press(open, 'e');
  await expect(detail.getByRole('textbox', { name: 'label' })).toBeFocused();
  await page.keyboard.type(' by keyboard');
  const messages = await noteMessages(page);
  await page.keyboard.press('Enter');
  await expect.poll(messages).toContainEqual(expect.stringMatching(/Feature #\d+ saved/));
  await press(open, 'f');
  await expect(detail.getByRole('button', { name: 'Favourite (f)' })).toHaveAttribute(
    'aria-pressed',
    'true',
  );
  await press(open, 'c');
  await expect(detail.getByRole('button', { name: 'Compare (c)' })).toBeVisible();
  await press(open, 't');
  await expect(detail.getByRole('textbox', { name: 'Your text' })).toBeFocused();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await expect(detail).toBeHidden();

  await press(part, 't');
  await expect(page.getByRole('textbox', { name: 'Your text' })).toBeFocused();
  await page.goBack();
  await page.goto('/?tab=features');
  await expect(rows.first()).toBeVisible();
  await press(part, 'j');
  await press(part, 's');
  await expect(page.getByText('Selected Features (1)')).toBeVisible();
  await page.getByLabel('Prompt', { exact: true }).focus();
  await page.keyboard.type('The happy cat');
  // The key does nothing while the button could not, as before the model is known.
  await expect(page.getByRole('button', { name: 'Generate Comparison' })).toBeEnabled();
  await press('Texts', 'Ctrl Enter');
  await expect(page.getByRole('region', { name: 'Comparison metrics' })).toBeVisible({
    timeout: 240_000,
  });

  await page.goto('/?tab=features');
  await expect(rows.first()).toBeVisible();
  await press(part, 'j');
  await page.keyboard.press('Enter');
  await expect(detail).toBeVisible();
  await press(open, 's');
  await expect(page).toHaveURL(/tab=steering/);
  const listed = SHORTCUTS.flatMap(({ title: group, shortcuts }) =>
    shortcuts.flatMap(({ keys }) => keys.map((key) => `${group}: ${key}`)),
  );
  expect([...tried].sort()).toEqual(listed.sort());
  expect(errors).toEqual([]);
});

function rowAt(table: Locator, index: number): Locator {
  return table.locator(`[data-index="${index}"] [data-row-focus]`);
}
