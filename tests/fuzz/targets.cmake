# Fuzz targets, one a parser. With -DPASSATION_FUZZ=ON (clang) they are libFuzzer's; else a plain
# main replays the seeds and changes them for some seconds, in each test run.
set(fuzz_targets
    age_armor age_file age_header age_identity age_stream allowed_signers bech32 kdbx kdbx_xml minisign ssh_key
    sshsig
    code document
    arguments imap_line ovh_answer ovh_conf plan record terminal vault_head)
foreach(name ${fuzz_targets})
  add_executable(fuzz_${name} fuzz/fuzz_${name}.c)
  if(PASSATION_FUZZ)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    target_compile_options(fuzz_${name} PRIVATE -fsanitize=fuzzer-no-link)
  else()
    target_sources(fuzz_${name} PRIVATE fuzz/format_main.c)
    add_test(NAME fuzz-${name} COMMAND fuzz_${name} --seconds 3
             ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/seeds/${name})
    set_tests_properties(fuzz-${name} PROPERTIES LABELS fuzz TIMEOUT 120)
  endif()
  target_link_libraries(fuzz_${name} PRIVATE passation_testing)
endforeach()
target_sources(fuzz_document PRIVATE support/issue_text.c)
