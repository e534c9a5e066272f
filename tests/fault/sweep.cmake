# The fault sweep defines malloc() and system calls of its own, as sanitizers do.
if(NOT PASSATION_SANITIZE AND NOT PASSATION_FUZZ AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  add_executable(fault_sweep fault/sweep.c fault/sweep_account.c fault/sweep_cli.c fault/sweep_commands.c fault/sweep_faults.c
                 fault/sweep_ovh.c fault/sweep_screen.c fault/sweep_sites.c fault/sweep_trial.c fault/sweep_vault.c fault/sweep_world.c
                 $<TARGET_OBJECTS:passation_cli_objects>)
  set_source_files_properties(fault/sweep_faults.c PROPERTIES COMPILE_OPTIONS "-U_FORTIFY_SOURCE;-fno-builtin")
  target_link_libraries(fault_sweep PRIVATE passation_testing PkgConfig::TEST_JANSSON
    -Wl,--wrap=psn_http_client_new,--wrap=psn_http_client_free,--wrap=psn_http_client_port,--wrap=psn_imap_real,--wrap=psn_record_parse
    -Wl,--wrap=psn_store_begin,--wrap=psn_store_find,--wrap=psn_store_get,--wrap=psn_store_put,--wrap=psn_store_delete
    -Wl,--wrap=psn_store_scan_open,--wrap=psn_store_scan_next,--wrap=psn_store_scan_read,--wrap=psn_store_journal_append,--wrap=psn_store_journal_get
    -Wl,--wrap=tui_curses_load)
  add_test(NAME fault-sweep COMMAND fault_sweep --sites --sample 300 --workers 2)
  set_tests_properties(fault-sweep PROPERTIES TIMEOUT 900)
  psn_label(fault-sweep fault)
  # A read that failed while a vault was locked to be replaced took its log away.
  add_test(NAME fault-sweep-reads COMMAND fault_sweep --command slot-rm --kind read-eio --mode sticky)
  set_tests_properties(fault-sweep-reads PROPERTIES TIMEOUT 900)
  psn_label(fault-sweep-reads fault)
endif()
