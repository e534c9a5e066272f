# Fuzz targets of issues. With -DPASSATION_FUZZ=ON (clang) they are libFuzzer's; else a plain main
# replays the seeds and changes them for some seconds, in each test run.
set(issue_targets code document)
foreach(name ${issue_targets})
  add_executable(fuzz_${name} fuzz/fuzz_${name}.c)
  if(PASSATION_FUZZ)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(fuzz_${name} PRIVATE fuzz/format_main.c)
    add_test(NAME fuzz-${name} COMMAND fuzz_${name} --seconds 3
             ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/seeds/${name})
    set_tests_properties(fuzz-${name} PROPERTIES LABELS fuzz TIMEOUT 120)
  endif()
  target_link_libraries(fuzz_${name} PRIVATE passation_testing)
endforeach()
target_sources(fuzz_document PRIVATE support/issue_text.c)
