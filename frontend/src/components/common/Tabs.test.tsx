import { screen } from '@testing-library/react';
import { useState } from 'react';
import { expect, it } from 'vitest';
import { renderWithUser } from '@/test/render';
import { Tabs } from './Tabs';

it('moves with the arrow keys', async () => {
  function Row() {
    const [tab, setTab] = useState<'one' | 'two'>('one');
    const tabs = [
      { id: 'one', label: 'One' },
      { id: 'two', label: 'Two' },
    ] as const;
    return <Tabs label="Views" tabs={tabs} active={tab} onChange={setTab} />;
  }
  const { user } = renderWithUser(<Row />);
  await user.click(screen.getByRole('tab', { name: 'One' }));
  await user.keyboard('{ArrowLeft}');
  expect(screen.getByRole('tab', { name: 'Two' })).toHaveFocus();
  expect(screen.getByRole('tab', { name: 'Two' })).toHaveAttribute('aria-selected', 'true');
  await user.keyboard('{ArrowRight}a');
  expect(screen.getByRole('tab', { name: 'One' })).toHaveFocus();
});
