/** What is used of Ax, in a bundle of its own: nobody else's start pays for it. Load it with `loadVendor('ax')`. */
export {
  AxAgentClarificationError,
  type AxAgentConfig,
  type AxAgentFunctionGroup,
  AxAIAnthropic,
  AxAIGoogleGemini,
  type AxAIService,
  type AxChatRequest,
  type AxChatResponse,
  type AxCodeRuntime,
  type AxCodeSession,
  type AxFunction,
  type AxGenIn,
  type AxGenOut,
  AxMockAIService,
  agent,
  ai,
} from '@ax-llm/ax';
