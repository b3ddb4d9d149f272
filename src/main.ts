// `npm start`: serves with the configuration file of this folder, or without any.

import { serve } from './serve.ts'

process.exitCode = await serve({ file: null, cwd: process.cwd(), env: process.env })
