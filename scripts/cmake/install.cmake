include(CMakePackageConfigHelpers)

if(TARGET passation_cli)
  install(TARGETS passation_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES dist/completion/passation.bash RENAME passation
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES dist/completion/_passation
          DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES dist/completion/passation.fish
          DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()
install(TARGETS passation EXPORT passationTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} NAMELINK_COMPONENT development
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
        FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
install(EXPORT passationTargets NAMESPACE passation::
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/passation COMPONENT development)

configure_package_config_file(scripts/cmake/passationConfig.cmake.in passationConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/passation)
write_basic_package_version_file(passationConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/passationConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/passationConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/passation COMPONENT development)

# Relative, so that the installed tree may be moved. A static library needs what it links.
file(RELATIVE_PATH PC_TO_PREFIX "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
if(BUILD_SHARED_LIBS)
  set(PC_PRIVATE .private)
endif()
configure_file(scripts/cmake/passation.pc.in passation.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/passation.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
install(FILES ${CMAKE_BINARY_DIR}/locale/fr/LC_MESSAGES/passation.mo
        DESTINATION ${CMAKE_INSTALL_LOCALEDIR}/fr/LC_MESSAGES)
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# A user's own timer, for what is due: passation-due(1). Nothing runs until it is enabled.
if(TARGET passation_cli AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
  configure_file(dist/systemd/passation-due.service.in passation-due.service @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/passation-due.service
                dist/systemd/passation-due.timer
          DESTINATION lib/systemd/user)
endif()
