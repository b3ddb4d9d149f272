// The admin listener.

export {
  type AdminHealth,
  type AdminOptions,
  type AdminServer,
  type AdminSource,
  openAdmin,
} from './server.ts'
