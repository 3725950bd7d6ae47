import { screen } from '@testing-library/react';
import { expect, it, vi } from 'vitest';
import { renderWithUser } from '@/test/render';
import { SearchInput } from './SearchInput';
import { Segmented } from './Segmented';
import { Toggle } from './Toggle';

it('switch and choose', async () => {
  const onToggle = vi.fn();
  const onChoose = vi.fn();
  const onSearch = vi.fn();
  const { user } = renderWithUser(
    <>
      <Toggle label="Auto-save" help="Saves" checked={false} onChange={onToggle} />
      <Segmented
        label="Source"
        options={[
          { value: 'a', label: 'A' },
          { value: 'b', label: 'B' },
        ]}
        value="a"
        onChange={onChoose}
      />
      <SearchInput label="Search" value="" onChange={onSearch} />
    </>,
  );
  await user.click(screen.getByRole('switch', { name: 'Auto-save' }));
  expect(onToggle).toHaveBeenCalledWith(true);
  await user.click(screen.getByRole('button', { name: 'B' }));
  expect(onChoose).toHaveBeenCalledWith('b');
  await user.type(screen.getByRole('searchbox', { name: 'Search' }), 'q');
  expect(onSearch).toHaveBeenCalledWith('q');
});
