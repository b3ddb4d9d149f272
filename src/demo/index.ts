// The demo provider.

export { type DemoServer, startDemo } from './server.ts'
