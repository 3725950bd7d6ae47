import { render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import axe from 'axe-core';
import type { ReactElement } from 'react';
import { expect } from 'vitest';

/** Renders and hands out a user who acts without delays. */
export function renderWithUser(element: ReactElement) {
  return { user: userEvent.setup(), ...render(element) };
}

/** Fails with the names of the accessibility rules that the element breaks. */
export async function expectAccessible(element: Element): Promise<void> {
  // jsdom computes no colours, and a part of a page has no landmarks of its own.
  const rules = { 'color-contrast': { enabled: false }, region: { enabled: false } };
  const { violations } = await axe.run(element, { rules });
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`)).toEqual([]);
}
