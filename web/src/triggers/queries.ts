import { graphql } from "@/gql";

export const TriggersQuery = graphql(`
  query Triggers($name: String!, $project: String!) {
    workflow(name: $name, project: $project) {
      id name title
      triggers { node type path }
      triggerBindings {
        id node kind environment pausedAt lastFiredAt waitingSince
        nextFirings(first: 10)
        lastRun { id status }
        version { id number }
      }
    }
    viewer { role }
  }
`);

export const TriggerEventsQuery = graphql(`
  query TriggerEvents($filter: TriggerEventFilter!, $after: String) {
    triggerEvents(first: 50, after: $after, filter: $filter) {
      nodes {
        id node kind environment outcome reason explanation receivedAt scheduledAt
        run { id status }
        sourceRun { id }
        redeliveryOf { id }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const PauseTriggerMutation = graphql(`
  mutation PauseTrigger($input: PauseTriggerInput!) {
    pauseTrigger(input: $input) { trigger { id pausedAt nextFirings(first: 10) } userErrors { code message field } }
  }
`);

export const ResumeTriggerMutation = graphql(`
  mutation ResumeTrigger($input: ResumeTriggerInput!) {
    resumeTrigger(input: $input) { trigger { id pausedAt nextFirings(first: 10) } userErrors { code message field } }
  }
`);

export const RedeliverMutation = graphql(`
  mutation Redeliver($input: RedeliverTriggerEventInput!) {
    redeliverTriggerEvent(input: $input) { __typename userErrors { code message field } }
  }
`);
