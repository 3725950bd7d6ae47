import { expect, test } from '@playwright/test';
import { collectErrors, shot } from './page';

test('everything about a feature is done without a mouse', async ({ page }) => {
  const errors = collectErrors(page);
  await page.goto('/');
  await expect(page.getByText('API Connected')).toBeVisible();
  const press = (keys: string) => page.keyboard.press(keys);

  await press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard' })).toBeVisible();
  await shot(page, '20-keys');
  await press('Escape');
  await press('Control+k');
  await expect(page.getByRole('combobox', { name: 'Go to' })).toBeFocused();
  await page.keyboard.type('features view');
  await shot(page, '21-palette');
  await press('Enter');
  await expect(page).toHaveURL(/tab=features/);

  const table = page.getByRole('region', { name: 'Features', exact: true });
  await expect(table.getByRole('button', { name: /^Open feature/ }).first()).toBeVisible();
  await press('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await page.keyboard.type('the');
  await expect(page.getByText('matches “the”')).toBeVisible();
  await page.keyboard.press('Control+a');
  await press('Delete');
  await press('Escape');

  await press('j');
  await press('c');
  await press('j');
  await press('c');
  await expect(page.getByRole('region', { name: 'Compare tray' })).toContainText('2 of 4');
  await press('Enter');
  const detail = page.getByRole('dialog', { name: /^Feature #/ });
  await expect(detail).toBeVisible();
  const first = await detail.getAttribute('aria-labelledby');
  expect(first).not.toBeNull();
  await press(']');
  await press('e');
  await expect(detail.getByRole('textbox', { name: 'label' })).toBeFocused();
  await page.keyboard.type(' by keyboard');
  await press('Enter');
  await expect(page.getByText(/ saved$/)).toBeVisible();
  await press('f');
  await press('Escape');
  await expect(detail).toBeHidden();

  await press('k');
  await press('s');
  await expect(page.getByText('Selected Features (1)')).toBeVisible();
  await press('g');
  await press('t');
  await expect(page).toHaveURL(/tab=training/);
  expect(errors).toEqual([]);
});
