import { expect, test } from 'vitest'
import { chooseListening } from '../src/listen-host.ts'

const authenticator = (isOpen: boolean) => ({
  isOpen: async () => isOpen,
  authenticate: () => Promise.reject(new Error('Nobody asks.')),
})

test.each([
  ['with a key', false, { host: '0.0.0.0', open: false }, '0.0.0.0', 'info', 'Callers need a key.'],
  ['with a key, told to be open', false, { host: '0.0.0.0', open: true }, '0.0.0.0', 'info', 'Callers need a key.'],
  ['without a key', true, { host: '127.0.0.1', open: false }, '127.0.0.1', 'info', 'on this machine may call'],
  [
    'without a key, for a network',
    true,
    { host: '0.0.0.0', open: false },
    '127.0.0.1',
    'warn',
    'listens on 127.0.0.1 only, and not on 0.0.0.0',
  ],
  ['without a key, told to be open', true, { host: '0.0.0.0', open: true }, '0.0.0.0', 'warn', 'as LLLM_OPEN says'],
  [
    'without a key, for this machine by name',
    true,
    { host: 'localhost', open: false },
    'localhost',
    'info',
    'on this machine',
  ],
])(
  'a service %s listens where it should, and the log says who may call',
  async (_case, isOpen, settings, host, level, said) => {
    const listening = await chooseListening(settings, authenticator(isOpen))
    expect(listening).toEqual({ host, access: { level, message: expect.stringContaining(said) } })
  },
)
