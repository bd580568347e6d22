import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { createDemoServer } from './demo-server.ts'

await createDemoServer().connect(new StdioServerTransport())
