# The page's shell: bundled once from TypeScript, byte for byte the same for the same
# sources. Included by src/CMakeLists.txt, whose page.c takes shell.inc in. npm ci asks the
# registry once per build tree; after that the build needs no network.
set(page_dir ${CMAKE_BINARY_DIR}/page)
if(PASSATION_PAGE)
  find_program(NODE node)
  find_program(NPM npm)
  if(NOT NODE OR NOT NPM)
    message(FATAL_ERROR "The page needs Node and npm (scripts/install-deps); "
                        "-DPASSATION_PAGE=OFF builds without it.")
  endif()
  set(page_package package.json package-lock.json)
  set(page_sources
    app.ts base64.ts clipboard.ts code.ts context.ts document.ts dom.ts idle.ts link.ts
    message.ts message_en.ts message_fr.ts opener.ts payload.ts profile.ts receipt.ts scrypt.ts
    signature.ts text.ts typography.ts view_account.ts view_contents.ts view_file.ts view_key.ts
    view_locked.ts view_mailbox.ts view_open.ts view_own.ts view_qr.ts view_secret.ts view_self.ts
    view_setup.ts virtual.d.ts worker.ts
    build.mjs shell.html style.css tsconfig.json)
  list(TRANSFORM page_package PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
  list(TRANSFORM page_sources PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
  set(page_words ${CMAKE_CURRENT_SOURCE_DIR}/crypto)

  add_custom_command(
    OUTPUT ${page_dir}/node_modules/.package-lock.json
    COMMAND ${CMAKE_COMMAND} -E make_directory ${page_dir}
    COMMAND ${CMAKE_COMMAND} -E copy ${page_package} ${page_dir}
    COMMAND ${CMAKE_COMMAND} -E chdir ${page_dir}
            ${NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch ${page_dir}/node_modules/.package-lock.json
    DEPENDS ${page_package}
    COMMENT "Installing the page's packages in the build tree"
    VERBATIM)
  add_custom_command(
    OUTPUT ${page_dir}/out/page/shell.inc ${page_dir}/out/page/shell.html
    COMMAND ${CMAKE_COMMAND} -E copy ${page_sources} ${page_dir}
    COMMAND ${CMAKE_COMMAND} -E chdir ${page_dir} ${NODE} node_modules/typescript/bin/tsc -p .
    COMMAND ${CMAKE_COMMAND} -E chdir ${page_dir} ${NODE} build.mjs ${page_words} out/page
    DEPENDS ${page_dir}/node_modules/.package-lock.json ${page_sources}
            ${page_words}/words_fr.inc ${page_words}/words_en.inc
    COMMENT "Bundling the page"
    VERBATIM)
else()
  file(CONFIGURE OUTPUT ${page_dir}/out/page/shell.inc CONTENT
"static const uint8_t shell_before[] = { 0 };
static const uint8_t shell_after[] = { 0 };
static const size_t shell_before_size = 0;
static const size_t shell_after_size = 0;
static const char shell_sha256[] = \"\";
")
endif()
set_source_files_properties(page/page.c PROPERTIES
  OBJECT_DEPENDS ${page_dir}/out/page/shell.inc
  INCLUDE_DIRECTORIES ${page_dir}/out)
