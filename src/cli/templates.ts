// tidy: long because it is a table of files
// Files to begin with. Each is complete, serves as it stands once its keys are set, and passes `sluice check`; a test
// holds them to it. The ids of the reference mean what they meant there.

export interface Template {
  readonly id: string
  readonly description: string
  readonly text: string
}

const MODEL_LISTENER = `listeners:
  - type: model
    name: llm
    address: 0.0.0.0
    port: 12000
`

function file(comment: string, body: string): string {
  const lines = comment.split('\n').map(line => `# ${line}`)
  return `${lines.join('\n')}\nversion: v0.4.0\n\n${body}`
}

export const TEMPLATES: readonly Template[] = [
  {
    id: 'minimal',
    description: 'one socket, two models, one alias',
    text: file(
      'One socket, two models. Keys come from the environment or from `.env` beside this file.',
      `${MODEL_LISTENER}
model_providers:
  - model: openai/gpt-4o-mini
    access_key: $OPENAI_API_KEY
    default: true
  - model: anthropic/claude-sonnet-4-5
    access_key: $ANTHROPIC_API_KEY

model_aliases:
  fast:
    target: openai/gpt-4o-mini
`,
    ),
  },
  {
    id: 'local',
    description: 'models on this machine, no key',
    text: file(
      'Models that Ollama serves on this machine. Nothing leaves it.',
      `${MODEL_LISTENER}
model_providers:
  - model: ollama/llama3.2
    base_url: http://127.0.0.1:11434
    default: true
`,
    ),
  },
  {
    id: 'sub_agent_orchestration',
    description: 'agents behind one socket; the one that fits answers',
    text: file(
      'Two agents behind one socket: each request goes to the one whose description fits.',
      `agents:
  - id: flights
    url: http://127.0.0.1:10520
  - id: hotels
    url: http://127.0.0.1:10530

listeners:
  - type: agent
    name: travel
    address: 0.0.0.0
    port: 8001
    agents:
      - id: flights
        description: Finds flights between two cities on a date, and their times and prices.
        default: true
      - id: hotels
        description: Finds hotels in a city for given nights, and rooms that are free.

model_providers:
  - model: openai/gpt-4o-mini
    access_key: $OPENAI_API_KEY
    default: true

tracing:
  random_sampling: 100
`,
    ),
  },
  {
    id: 'coding_agent_routing',
    description: 'a coding agent whose small tasks go to a small model',
    text: file(
      'For coding agents: start one with `sluice cli-agent claude`. Requests are routed by what they are about; small\ntasks go to a small model.',
      `${MODEL_LISTENER}
model_providers:
  - model: anthropic/claude-sonnet-4-5
    access_key: $ANTHROPIC_API_KEY
    default: true
  - model: anthropic/claude-haiku-4-5
    access_key: $ANTHROPIC_API_KEY
  - model: openai/gpt-4.1
    access_key: $OPENAI_API_KEY

model_aliases:
  arch.claude.code.small.fast:
    target: anthropic/claude-haiku-4-5

routing_preferences:
  - name: code generation
    description: writing new functions, tests or whole files from a description
    models: [anthropic/claude-sonnet-4-5, openai/gpt-4.1]
  - name: code understanding
    description: explaining, reviewing or searching code that is there
    models: [openai/gpt-4.1, anthropic/claude-haiku-4-5]
`,
    ),
  },
  {
    id: 'preference_aware_routing',
    description: 'the model is chosen by what a request is about',
    text: file(
      'The model is chosen by what a request is about. The first model of a list is tried first.',
      `${MODEL_LISTENER}
model_providers:
  - model: openai/gpt-4o-mini
    access_key: $OPENAI_API_KEY
    default: true
  - model: openai/gpt-4o
    access_key: $OPENAI_API_KEY
  - model: anthropic/claude-sonnet-4-5
    access_key: $ANTHROPIC_API_KEY

routing_preferences:
  - name: complex reasoning
    description: problems with several steps, mathematics, planning and analysis
    models: [openai/gpt-4o, anthropic/claude-sonnet-4-5]
  - name: creative writing
    description: stories, poems, advertisements and other texts with a voice
    models: [anthropic/claude-sonnet-4-5, openai/gpt-4o]
`,
    ),
  },
  {
    id: 'filter_chain_guardrails',
    description: 'filters look at every request before an agent does',
    text: file(
      'Two filters in front of an agent: one refuses what must not pass, one adds what the agent should know.',
      `agents:
  - id: assistant
    url: http://127.0.0.1:10505

filters:
  - id: guard
    url: http://127.0.0.1:10500
    type: http
  - id: context
    url: http://127.0.0.1:10501
    type: http

listeners:
  - type: agent
    name: assistant
    address: 0.0.0.0
    port: 8001
    agents:
      - id: assistant
        description: Answers questions about the documents it is given.
        input_filters: [guard, context]

model_providers:
  - model: openai/gpt-4o-mini
    access_key: $OPENAI_API_KEY
    default: true
`,
    ),
  },
  {
    id: 'conversational_state_v1_responses',
    description: 'conversations of /v1/responses are remembered',
    text: file(
      'Conversations of /v1/responses go on by `previous_response_id`, whatever model answers.\nFor more than one gateway: type: postgres and a connection_string.',
      `${MODEL_LISTENER}
model_providers:
  - model: openai/gpt-4o-mini
    access_key: $OPENAI_API_KEY
    default: true
  - model: anthropic/claude-sonnet-4-5
    access_key: $ANTHROPIC_API_KEY

state_storage:
  type: memory
`,
    ),
  },
]
