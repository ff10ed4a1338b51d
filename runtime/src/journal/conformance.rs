//! What every journal must do, said once and held by each.

mod bench;
mod fence;
mod mail;
mod ownership;
mod start;

pub(crate) use bench::{Bench, SALT, new_run};

macro_rules! conformance {
    ($($module:ident { $($name:ident,)* })*) => {
        mod on_sqlite {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$module::$name(super::Bench::sqlite().await).await;
                }
            )*)*
        }
        mod on_postgres {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$module::$name(super::Bench::postgres().await).await;
                }
            )*)*
        }
    };
}

conformance! {
    fence {
        a_flush_whose_fence_does_not_hold_writes_nothing_while_others_commit,
        of_a_hundred_runs_a_fenced_and_a_malformed_one_do_not_harm_the_others,
        a_run_whose_record_is_there_already_is_parked_alone,
        a_batch_over_one_statement_commits_as_a_whole,
        a_flush_shows_what_it_says_and_the_run_loads_as_it_was_written,
        a_flush_that_leaves_the_owner_clears_it,
        a_reference_needs_a_blob_that_is_there_and_not_doomed,
    }
    start {
        a_key_starts_one_run_within_a_call_and_across_calls,
        a_key_starts_another_run_once_it_has_expired,
        of_many_who_start_with_the_same_keys_at_once_one_wins_each,
        creating_again_after_an_unknown_outcome_finds_the_run,
        a_run_that_cannot_be_kept_is_refused_alone,
        a_new_run_has_its_event_its_record_and_its_owner,
    }
    ownership {
        of_two_who_claim_at_once_each_run_goes_to_one,
        only_what_is_free_is_claimed_and_higher_priority_first,
        of_two_who_adopt_at_once_each_run_goes_to_one,
        an_adopted_run_is_written_by_its_adopter_only,
        suspects_are_taken_one_at_a_time_the_least_lost_first,
        a_run_lost_too_often_is_parked_and_names_its_node,
        of_two_who_take_a_suspect_one_wins,
        progress_clears_a_runs_record,
        only_its_owner_parks_a_run,
        workers_are_seen_while_they_own_runs,
    }
    mail {
        a_message_is_kept_once_and_only_for_a_run_of_its_workspace,
        a_message_around_the_moment_of_going_dormant_is_found,
        mail_that_became_events_is_gone_and_the_rest_stays,
        a_run_that_has_ended_takes_no_mail_and_keeps_none,
        the_mail_of_owned_runs_comes_with_their_epochs_and_in_order,
    }
}
