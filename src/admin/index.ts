// The admin listener.

export {
  type AdminHealth,
  type AdminOptions,
  type AdminServer,
  type AdminSource,
  type ChangeAnswer,
  openAdmin,
} from './server.ts'
