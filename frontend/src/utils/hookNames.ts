interface HookWords {
  name: string;
  short: string;
  hint: string;
}

const HOOKS: Record<string, HookWords> = {
  residual: {
    name: 'Residual Stream',
    short: 'residual',
    hint: 'The stream after the whole block (resid_post)',
  },
  resid_mid: {
    name: 'Residual Mid-Block',
    short: 'mid-block residual',
    hint: 'The stream between the attention of the block and its MLP (resid_mid)',
  },
  mlp: {
    name: 'MLP Output',
    short: 'MLP output',
    hint: 'What the MLP adds to the stream (mlp_out)',
  },
  attention: {
    name: 'Attention Output',
    short: 'attention output',
    hint: 'What the attention adds to the stream (attn_out)',
  },
  z: {
    name: 'Attention Heads',
    short: 'attention heads (z)',
    hint: 'The outputs of all heads side by side, before they are mixed into the stream (z)',
  },
  mlp_input: {
    name: 'MLP Input',
    short: 'MLP input',
    hint: 'What the MLP reads, after the norm before it',
  },
};

/** The places of a block in words, for buttons and lists of choices. */
export function hookName(type: string): string {
  return HOOKS[type]?.name ?? type;
}

/** The same in running text. */
export function hookShortName(type: string): string {
  return HOOKS[type]?.short ?? type;
}

/** What is read there, and what others call it. */
export function hookHint(type: string): string | undefined {
  return HOOKS[type]?.hint;
}
