"""The list of what is safe by default, and the tests that show it: none is without, and none that is named is gone.

The numbers are those of the design. What has no test of its own says why.
"""

import re
from collections.abc import Mapping
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent

SHOWN: Mapping[str, str] = {
    "S18 an empty list lets nobody in": "test_an_empty_list_lets_nobody_in",
    "S18 a stranger gets a code and nothing else": "test_a_stranger_gets_a_code_once_and_nothing_else",
    "S19 a code is used once": "test_a_code_lets_in_one_person_once",
    "S19 guessing ends after five": "test_five_wrong_codes_make_those_that_wait_void",
    "S19 a code lives an hour": "test_a_code_is_void_after_an_hour",
    "S20 groups: by mention, and a reply is no way around": (
        "test_in_a_group_only_what_is_meant_for_the_bot_is_heard_and_its_sender_is_checked"
    ),
    "S21 ids, never names": "test_a_renamed_stranger_stays_a_stranger",
    "S22 a session for each": "test_two_people_have_two_sessions",
    "S23 commands are the owner's": "test_a_guest_has_no_shell_no_memory_and_no_commands_of_the_owner",
    "S23 and never the model's": "test_a_stranger_can_neither_approve_nor_let_the_model_do_it",
    "S24 webhooks are signed": "test_who_cannot_sign_hears_one_answer_and_begins_nothing",
    "S24 a replay begins nothing": "test_a_copy_under_another_id_is_the_same_delivery",
    "S25 rate": "test_a_guest_who_floods_is_held_and_others_are_served",
    "S25 spend of each": "test_a_guests_day_has_a_ceiling_in_private_and_in_groups_together",
    "S25 spend of all": "test_all_guests_together_have_a_ceiling_and_the_owner_is_served",
    "S25 loops": ("test_a_loop_is_stopped_once_in_words_survives_a_restart_and_goes_on_when_the_owner_says_so"),
    "S26 no sandbox, no shell": "test_without_both_there_is_no_bash_tool_and_everybody_says_so",
    "S27 the probe notices": "test_each_leak_is_noticed",
    "S29 no network": "test_no_network_is_reached",
    "S29 or what is listed": "test_there_is_no_other_way_out",
    "S30 late commands take all along": "test_nothing_survives_its_call_not_even_by_setsid",
    "S31 memory": "test_memory_is_bounded_for_all_processes_of_a_call_together",
    "S31 processes": "test_a_fork_bomb_ends_with_its_call",
    "S31 output": "test_endless_output_is_bounded",
    "S32 the environment": "test_the_environment_holds_no_secret_and_no_home",
    "S33 the daemon is closed": "test_another_process_of_the_same_user_reads_nothing_of_a_closed_one",
    "S33 credentials": "test_a_secret_may_be_a_credential_of_the_service_manager",
    "S34 typing for the terminal": "test_typing_for_the_terminal_is_refused",
    "S35 system calls": "test_system_calls_that_lead_out_are_refused",
    "S37 shown whole, bound by hash": "test_an_altered_question_cannot_be_approved_and_never_runs",
    "S38 unknown rules": "test_what_cannot_be_kept_is_refused_at_the_start",
    "S39 exchanged links": "test_what_is_swapped_all_the_time_never_leads_outside",
    "S40 pipes": "test_a_fifo_does_not_hang",
    "S40 second names": "test_a_file_with_two_names_is_not_written",
    "S40 sizes": "test_an_enormous_file_is_refused_before_it_is_read",
    "S41 state and settings": "test_state_and_secrets_are_out_of_reach_by_any_name",
    "S42 what other programs obey": "test_what_other_programs_obey_is_not_written_even_where_it_is_absent",
    "S43 what is outside": "test_what_is_outside_cannot_be_read",
    "S46 archives": "test_a_forged_backup_is_refused_and_writes_nowhere",
    "S47 addresses": "test_an_address_with_a_trick_in_it_is_refused",
    "S48 rebinding": "test_a_name_that_changes_its_address_between_two_looks_reaches_nothing",
    "S48 redirects": "test_a_redirect_to_this_machine_is_not_followed",
    "S49 our own table": "test_an_address_that_is_not_public_is_closed",
    "S50 proxies": "test_a_proxy_of_the_environment_is_not_asked",
    "S51 bombs": "test_a_bomb_is_unpacked_to_the_bound_only",
    "S51 drips": "test_a_server_that_drips_is_left",
    "S52 hidden text": "test_text_that_is_hidden_from_people_is_left_out_and_said",
    "S52 marked": "test_a_page_reaches_the_model_as_text_from_outside",
    "S53 logged with bytes": "test_where_bytes_went_is_in_the_log",
    "S53 asked for": "test_what_was_read_leaves_by_no_part_of_an_address_unasked",
    "S54 marks": "test_sending_is_asked_for_in_a_turn_that_has_read_private_things_and_things_from_outside",
    "S55 redaction": "test_a_tools_result_shows_no_secret_to_the_model_and_keeps_none",
    "S56 memory": "test_a_note_from_outside_is_never_recalled_and_no_note_can_end_its_fence",
    "S57 skills": "test_a_skill_that_was_changed_is_not_used_until_its_owner_lets_it_in_again",
    "S57 servers of tools": "test_words_that_changed_since_they_were_let_in_disable_the_tool",
    "S58 agents": "test_a_child_has_no_more_tools_steps_or_sandbox_than_its_parent",
    "S60 links": "test_a_link_says_where_it_leads_and_tells_nothing_of_this_page",
    "S62 modes": "test_open_secrets_are_an_error_that_fix_mends",
    "S63 the audit log": "test_no_entry_is_altered_removed_or_cut_off_unseen",
    "S64 logs": "test_no_message_can_forge_a_line_or_colour_a_terminal",
    "S64 their size": "test_log_files_are_put_aside_when_full_and_only_so_many_kept",
}
ELSEWHERE: Mapping[str, str] = {
    **dict.fromkeys([f"S{n}" for n in (*range(1, 16), 17)], "named by number in tests/gateway"),
    "S16": "tests/page/test_safety.py is all of it",
    "S28": "root is warned and not refused: `picklebot audit` says runs-as-root",
    "S36": "there is no list of allowed command texts to get around",
    "S44": "files are named by the contract of each channel",
    "S45": "files are sent by the contract of each channel",
    "S59": "no secret is ever given to a prompt; S55 takes out what a model is shown",
    "S61": "the lock and CI",
}


def names_of_tests() -> set[str]:
    found = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)
    return {name for file in TOP.rglob("test_*.py") for name in found.findall(file.read_text())}


def test_each_default_has_its_test_or_says_why_not() -> None:
    numbers = {line.partition(" ")[0] for line in SHOWN} | set(ELSEWHERE)
    assert numbers == {f"S{n}" for n in range(1, 65)}
    assert not {line.partition(" ")[0] for line in SHOWN} & set(ELSEWHERE)
    assert not set(SHOWN.values()) - names_of_tests(), "named, and not there"
    gateway = "".join(file.read_text() for file in (TOP / "gateway").glob("test_*.py"))
    named = {f"S{n}" for n in re.findall(r"\bs(\d+)(?=_)", gateway.replace("test_", "test ").replace("_and_", "_and "))}
    assert {number for number, why in ELSEWHERE.items() if why == "named by number in tests/gateway"} <= named
