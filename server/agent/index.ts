export type { Activation, Agent, AgentDocuments, AgentLog, AgentOptions } from './agentTypes.js';
export { createAgent } from './createAgent.js';
