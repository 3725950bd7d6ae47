import { fireEvent, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';

import { Histogram } from './Histogram';
import { LineChart } from './LineChart';

const series = [
  { name: 'train', color: '#10b981', points: [0, 1, 2].map((x) => ({ x, y: 3 - x })) },
  { name: 'held out', color: '#60a5fa', points: [0, 2].map((x) => ({ x, y: 4 - x })) },
];

describe('LineChart', () => {
  it('says what it shows', () => {
    render(<LineChart series={series} xLabel="step" yLabel="loss" />);
    expect(screen.getByRole('img', { name: /loss.*train: 1 at step 2/ })).toBeVisible();
    expect(screen.getByText('held out')).toBeVisible();
  });

  it('stands empty at its full height', () => {
    render(<LineChart series={[]} height={180} emptyMessage="No steps yet" />);
    expect(screen.getByText('No steps yet')).toHaveStyle({ height: '180px' });
  });

  it('reads values with the arrow keys', async () => {
    render(<LineChart series={series} xLabel="step" />);
    await userEvent.tab();
    await userEvent.keyboard('{ArrowLeft}{ArrowLeft}');
    expect(screen.getByRole('tooltip')).toHaveTextContent('step 1');
    await userEvent.tab();
    expect(screen.queryByRole('tooltip')).toBeNull();
  });

  it('reads the point under the pointer', () => {
    render(<LineChart series={series} xLabel="step" />);
    const chart = screen.getByRole('img');
    fireEvent.pointerMove(chart, { clientX: 10_000 });
    expect(screen.getByRole('tooltip')).toHaveTextContent('step 2');
    fireEvent.pointerLeave(chart);
    expect(screen.queryByRole('tooltip')).toBeNull();
  });
});

describe('Histogram', () => {
  const bins = [
    { from: 0.1, to: 1, count: 30 },
    { from: 1, to: 10, count: 10 },
  ];

  it('says where most values lie', () => {
    render(<Histogram bins={bins} xLabel="activation" />);
    const name = /activation: 40 values from 0.1 to 10, most of them between 0.1 and 1/;
    expect(screen.getByRole('img', { name })).toBeVisible();
  });

  it('shows count and share of the bar under the pointer, and a marker', () => {
    const { container } = render(
      <Histogram bins={bins} marker={{ value: 5, label: 'this example' }} />,
    );
    expect(screen.getByText('this example')).toBeVisible();
    const bar = container.querySelector('rect[fill="transparent"]')!.parentElement!;
    fireEvent.pointerEnter(bar);
    expect(screen.getByRole('tooltip')).toHaveTextContent('75.00 %');
    fireEvent.pointerLeave(screen.getByRole('img'));
    expect(screen.queryByRole('tooltip')).toBeNull();
  });

  it('says when nothing was counted', () => {
    render(<Histogram bins={[]} emptyMessage="Never fired" />);
    expect(screen.getByText('Never fired')).toBeVisible();
  });
});
